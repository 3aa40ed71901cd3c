//! `lodge new`: a project from a template.

use super::failure::Failure;
use super::output;
use clap::{Args, ValueEnum};
use lodge_model::AppId;
use std::fs;
use std::path::{Path, PathBuf};

/// The SDK in the source tree that this program was built from.
const OWN_SDK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../guest-sdk");

#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// The project's name, which is its crate's and its app's
    name: String,
    /// What it begins as
    #[arg(long, value_enum, default_value = "http")]
    template: Template,
    /// The folder to make; by default the name
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
    /// The folder of Lodge's guest SDK; by default that of the source tree this lodge was built from
    #[arg(long, env = "LODGE_SDK", value_name = "DIR")]
    sdk: Option<PathBuf>,
    /// Print JSON, for programs
    #[arg(long)]
    pub(crate) json: bool,
}

/// What a project begins as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Template {
    /// One async function from request to response
    Http,
    /// An axum router
    Axum,
}

/// The files of a template: where each goes, and its text with placeholders.
type Files = &'static [(&'static str, &'static str)];

macro_rules! files {
    ($folder:literal) => {
        &[
            (
                "Cargo.toml",
                include_str!(concat!(
                    "../../../../guest-sdk/templates/",
                    $folder,
                    "/Cargo.toml.in"
                )),
            ),
            (
                ".cargo/config.toml",
                include_str!(concat!(
                    "../../../../guest-sdk/templates/",
                    $folder,
                    "/cargo-config.toml"
                )),
            ),
            (
                ".gitignore",
                include_str!(concat!(
                    "../../../../guest-sdk/templates/",
                    $folder,
                    "/gitignore"
                )),
            ),
            (
                "README.md",
                include_str!(concat!(
                    "../../../../guest-sdk/templates/",
                    $folder,
                    "/README.md"
                )),
            ),
            (
                "src/lib.rs",
                include_str!(concat!(
                    "../../../../guest-sdk/templates/",
                    $folder,
                    "/src/lib.rs"
                )),
            ),
        ]
    };
}

impl Template {
    fn files(self) -> Files {
        match self {
            Self::Http => files!("http"),
            Self::Axum => files!("axum"),
        }
    }
}

pub(crate) fn run(args: &NewArgs) -> Result<(), Failure> {
    check_name(&args.name)?;
    let sdk = find_sdk(args.sdk.as_deref())?;
    let folder = args
        .path
        .clone()
        .unwrap_or_else(|| PathBuf::from(&args.name));
    write(&folder, &args.name, &sdk, args.template)?;
    if args.json {
        output::json(&serde_json::json!({ "name": args.name, "path": folder }));
        return Ok(());
    }
    output::line(format_args!("made {}", folder.display()));
    eprintln!("next: cd {} && lodge dev", folder.display());
    Ok(())
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

fn write(folder: &Path, name: &str, sdk: &Path, template: Template) -> Result<(), Failure> {
    if folder.exists() {
        return Err(Failure::Failed(format!(
            "{} is there already: choose another name or --path",
            folder.display()
        )));
    }
    let sdk = toml_path(sdk)?;
    for (place, text) in template.files() {
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

    #[test]
    fn projects_are_complete() {
        let folder = tempfile::tempdir().unwrap();
        for template in [Template::Http, Template::Axum] {
            let project = folder.path().join(format!("{template:?}"));
            write(&project, "my-app", Path::new("/the sdk/\"here\""), template).unwrap();
            let manifest: toml::Value =
                toml::from_str(&fs::read_to_string(project.join("Cargo.toml")).unwrap()).unwrap();
            assert_eq!(manifest["package"]["name"].as_str(), Some("my-app"));
            let sdk = &manifest["dependencies"]["lodge-sdk"]["path"];
            assert_eq!(sdk.as_str(), Some("/the sdk/\"here\""));
            for (place, _) in template.files() {
                let text = fs::read_to_string(project.join(place)).unwrap();
                assert!(
                    !text.contains("{{name}}") && !text.contains("{{sdk}}"),
                    "{place}"
                );
                assert!(!text.contains("{{crate}}"), "{place}");
            }
            assert!(
                write(&project, "my-app", Path::new("/"), template).is_err(),
                "overwritten"
            );
        }
    }

    /// A template gains a file: this list must too.
    #[test]
    fn no_file_of_a_template_is_forgotten() {
        fn count(folder: &Path) -> usize {
            let entries = fs::read_dir(folder)
                .unwrap()
                .map(|entry| entry.unwrap().path());
            entries
                .map(|path| if path.is_dir() { count(&path) } else { 1 })
                .sum()
        }
        for (template, name) in [(Template::Http, "http"), (Template::Axum, "axum")] {
            let folder = Path::new(OWN_SDK).join("templates").join(name);
            assert_eq!(count(&folder), template.files().len(), "{name}");
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
