//! Embeds what `cargo xtask ui` built. Without it the crate builds too, and the host serves a page that says so:
//! neither Node nor the network is needed to build Lodge.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let dist =
        Path::new(&env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?).join("ui/dist");
    println!("cargo:rerun-if-changed={}", dist.display());
    let out = Path::new(&env::var("OUT_DIR").map_err(io::Error::other)?).join("ui.rs");
    fs::write(out, table(&dist)?)
}

/// The source of two statics: the page, and the files that it names.
fn table(dist: &Path) -> io::Result<String> {
    let (page, assets) = (dist.join("index.html"), dist.join("assets"));
    if !page.exists() || !assets.is_dir() {
        return Ok("static PAGE: Option<&str> = None;\nstatic FILES: &[File] = &[];\n".to_owned());
    }
    println!("cargo:rerun-if-changed={}", assets.display());
    let mut names: Vec<String> = fs::read_dir(&assets)?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    names.sort();
    let mut text = format!("static PAGE: Option<&str> = Some(include_str!({page:?}));\n");
    text.push_str("static FILES: &[File] = &[\n");
    for name in names
        .iter()
        .filter(|name| !name.ends_with(".br") && !name.ends_with(".gz"))
    {
        let file = assets.join(name);
        let packed = |ending: &str| {
            let packed = assets.join(format!("{name}.{ending}"));
            if packed.exists() {
                format!("Some(include_bytes!({packed:?}))")
            } else {
                "None".to_owned()
            }
        };
        // Writing into a String cannot fail.
        let _ = writeln!(
            text,
            "File {{ name: {name:?}, plain: include_bytes!({file:?}), brotli: {}, gzip: {} }},",
            packed("br"),
            packed("gz")
        );
    }
    text.push_str("];\n");
    Ok(text)
}
