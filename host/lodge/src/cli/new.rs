//! `lodge new`: a project from a template.

mod templates;

use super::failure::Failure;
use super::output;
use clap::{Args, ValueEnum};
use lodge_model::AppId;
use std::fs;
use std::path::{Path, PathBuf};
use templates::Start;

/// The SDK in the source tree that this program was built from.
const OWN_SDK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../guest-sdk");

#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// The project's name, which is its package's and its app's
    name: String,
    /// What it is written in
    #[arg(long, value_enum, default_value = "rust")]
    lang: Lang,
    /// What a project in Rust begins as; by default http
    #[arg(long, value_enum)]
    template: Option<Template>,
    /// The folder to make; by default the name
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
    /// The folder of Lodge's guest SDK, for Rust; by default that of the source tree this lodge was built from
    #[arg(long, env = "LODGE_SDK", value_name = "DIR")]
    sdk: Option<PathBuf>,
    /// Print JSON, for programs
    #[arg(long)]
    pub(crate) json: bool,
}

/// What a project is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Lang {
    /// A component of WASI 0.3, with the guest SDK
    Rust,
    /// A component of WASI 0.2, by componentize-js
    Js,
    /// A component of WASI 0.2, by componentize-py
    Python,
}

/// What a project in Rust begins as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Template {
    /// One async function from request to response
    Http,
    /// An axum router
    Axum,
}

pub(crate) fn run(args: &NewArgs) -> Result<(), Failure> {
    check_name(&args.name)?;
    let start = start(args.lang, args.template)?;
    let sdk = match start.needs_sdk() {
        true => Some(find_sdk(args.sdk.as_deref())?),
        false => None,
    };
    let folder = args
        .path
        .clone()
        .unwrap_or_else(|| PathBuf::from(&args.name));
    write(&folder, &args.name, sdk.as_deref(), start)?;
    if args.json {
        output::json(&serde_json::json!({ "name": args.name, "path": folder }));
        return Ok(());
    }
    output::line(format_args!("made {}", folder.display()));
    eprintln!("next: cd {} && {}", folder.display(), start.next());
    Ok(())
}

fn start(lang: Lang, template: Option<Template>) -> Result<Start, Failure> {
    match (lang, template) {
        (Lang::Rust, None | Some(Template::Http)) => Ok(Start::Http),
        (Lang::Rust, Some(Template::Axum)) => Ok(Start::Axum),
        (Lang::Js, None) => Ok(Start::Js),
        (Lang::Python, None) => Ok(Start::Python),
        (Lang::Js | Lang::Python, Some(_)) => Err(Failure::Usage(
            "--template is for --lang rust; the other languages have one template each".into(),
        )),
    }
}

/// A name must do as a crate's and as an app's.
fn check_name(name: &str) -> Result<(), Failure> {
    if name.len() > 40 {
        return Err(Failure::Usage(format!(
            "`{name}` is too long for a name: 40 characters at most"
        )));
    }
    name.parse::<AppId>().map(drop).map_err(|invalid| {
        Failure::Usage(format!(
            "`{name}` cannot be the name of an app: it {}",
            invalid.message
        ))
    })
}

fn find_sdk(given: Option<&Path>) -> Result<PathBuf, Failure> {
    let folder = given.unwrap_or(Path::new(OWN_SDK));
    let sdk = folder
        .canonicalize()
        .ok()
        .filter(|sdk| sdk.join("Cargo.toml").is_file());
    sdk.ok_or_else(|| {
        Failure::Failed(match given {
            Some(folder) => format!("there is no SDK in {}: name the folder `guest-sdk` of Lodge's source", folder.display()),
            None => "the source tree that this lodge was built from is not here: name its folder `guest-sdk` with --sdk or LODGE_SDK".into(),
        })
    })
}

/// `sdk` is for a project that needs it.
fn write(folder: &Path, name: &str, sdk: Option<&Path>, start: Start) -> Result<(), Failure> {
    if folder.exists() {
        return Err(Failure::Failed(format!(
            "{} is there already: choose another name or --path",
            folder.display()
        )));
    }
    let sdk = sdk.map(toml_path).transpose()?.unwrap_or_default();
    for (place, text) in start.files() {
        let path = folder.join(place);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(Failure::file("create", parent))?;
        fs::write(&path, fill(text, name, &sdk)).map_err(Failure::file("write", &path))?;
    }
    Ok(())
}

/// The SDK as a dependency; the path is quoted as TOML has it.
fn toml_path(sdk: &Path) -> Result<String, Failure> {
    let path = sdk.to_str().ok_or_else(|| {
        Failure::Failed(format!(
            "{}: cargo takes only paths that are UTF-8",
            sdk.display()
        ))
    })?;
    Ok(format!(
        "{{ path = {} }}",
        toml::Value::String(path.to_owned())
    ))
}

fn fill(text: &str, name: &str, sdk: &str) -> String {
    text.replace("{{name}}", name)
        .replace("{{crate}}", &name.replace('-', "_"))
        .replace("{{sdk}}", sdk)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each place has its file, with nothing left to fill in; nothing is overwritten.
    fn written(project: &Path, sdk: Option<&Path>, start: Start) {
        write(project, "my-app", sdk, start).unwrap();
        for (place, _) in start.files() {
            let text = fs::read_to_string(project.join(place)).unwrap();
            for placeholder in ["{{name}}", "{{crate}}", "{{sdk}}"] {
                assert!(!text.contains(placeholder), "{start:?} {place}");
            }
        }
        assert!(write(project, "my-app", sdk, start).is_err(), "overwritten");
    }

    #[test]
    fn projects_in_rust_are_complete() {
        let folder = tempfile::tempdir().unwrap();
        for start in [Start::Http, Start::Axum] {
            let project = folder.path().join(format!("{start:?}"));
            written(&project, Some(Path::new("/the sdk/\"here\"")), start);
            let manifest: toml::Value =
                toml::from_str(&fs::read_to_string(project.join("Cargo.toml")).unwrap()).unwrap();
            assert_eq!(manifest["package"]["name"].as_str(), Some("my-app"));
            let sdk = &manifest["dependencies"]["lodge-sdk"]["path"];
            assert_eq!(sdk.as_str(), Some("/the sdk/\"here\""));
        }
    }

    #[test]
    fn projects_in_other_languages_are_complete() {
        let folder = tempfile::tempdir().unwrap();
        for start in [Start::Js, Start::Python] {
            let project = folder.path().join(format!("{start:?}"));
            written(&project, None, start);
            // The README's commands build what it deploys.
            let readme = fs::read_to_string(project.join("README.md")).unwrap();
            assert!(readme.contains("lodge deploy my-app.wasm --app my-app"));
            let ignored = fs::read_to_string(project.join(".gitignore")).unwrap();
            assert!(ignored.lines().any(|line| line == "/*.wasm"));
        }
        let text = fs::read_to_string(folder.path().join("Js/package.json")).unwrap();
        let package: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(package["name"], "my-app");
        let build = package["scripts"]["build"].as_str().unwrap();
        assert!(build.ends_with("--out my-app.wasm"), "{build}");
    }

    #[test]
    fn templates_are_for_rust() {
        assert_eq!(start(Lang::Rust, None).unwrap(), Start::Http);
        assert_eq!(
            start(Lang::Rust, Some(Template::Axum)).unwrap(),
            Start::Axum
        );
        assert_eq!(start(Lang::Js, None).unwrap(), Start::Js);
        for lang in [Lang::Js, Lang::Python] {
            let failure = start(lang, Some(Template::Http)).unwrap_err();
            assert_eq!(failure.exit_code(), 2);
        }
    }

    #[test]
    fn names() {
        assert!(check_name("shop").is_ok() && check_name("my-shop_2").is_ok());
        for bad in ["", "Shop", "2shop", "api", "a/b", "-x"] {
            assert_eq!(check_name(bad).unwrap_err().exit_code(), 2, "{bad}");
        }
    }
}
