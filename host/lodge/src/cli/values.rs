//! Arguments of the form `key=value`.

use super::failure::Failure;
use crate::size::Size;
use serde_json::Value;
use std::io::Read as _;
use std::path::Path;

/// The longest configuration value, in bytes: the API's own limit.
const MAX_VALUE_BYTES: u64 = 64 * 1024;

/// A `key=value` argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pair {
    /// Before the first `=`.
    pub(crate) key: String,
    /// After it.
    pub(crate) value: String,
}

/// Splits a `key=value` argument.
pub(crate) fn pair(text: &str) -> Result<Pair, String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok(Pair {
            key: key.to_owned(),
            value: value.to_owned(),
        }),
        _ => Err("write it as key=value".to_owned()),
    }
}

/// A limit's value: a number, `none`, or for sizes a number with `KiB`, `MiB` or `GiB`.
pub(crate) fn limit(pair: &Pair) -> Result<Value, Failure> {
    let text = pair.value.trim();
    if text == "none" {
        return Ok(Value::Null);
    }
    if let Ok(Size(bytes)) = text.parse() {
        return Ok(bytes.into());
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number.into()),
        _ => Err(Failure::Usage(format!(
            "--limit {}: `{text}` is not a number, a size such as 64MiB, or `none`",
            pair.key
        ))),
    }
}

/// A configuration value: the text itself, `@FILE` for a file's content, `@-` for that of standard
/// input, `@@…` for a text that begins with `@`. One line end at the end of a file is left out.
pub(crate) fn content(pair: &Pair) -> Result<String, Failure> {
    let Some(source) = pair.value.strip_prefix('@') else {
        return Ok(pair.value.clone());
    };
    if source.starts_with('@') {
        return Ok(source.to_owned());
    }
    read(source)
}

/// The content of a file, or of standard input (`-`), without one line end at the end.
pub(crate) fn read(source: &str) -> Result<String, Failure> {
    let mut text = String::new();
    let done = if source == "-" {
        std::io::stdin()
            .lock()
            .take(MAX_VALUE_BYTES + 2)
            .read_to_string(&mut text)
    } else {
        std::fs::File::open(Path::new(source))
            .and_then(|file| file.take(MAX_VALUE_BYTES + 2).read_to_string(&mut text))
    };
    done.map_err(Failure::file("read", source))?;
    let cut = text
        .strip_suffix('\n')
        .map(|text| text.strip_suffix('\r').unwrap_or(text));
    let value = cut.unwrap_or(&text);
    if value.len() as u64 > MAX_VALUE_BYTES {
        return Err(Failure::Usage(format!(
            "{source} has more than {MAX_VALUE_BYTES} bytes"
        )));
    }
    Ok(value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pairs_split_at_the_first_equals_sign() {
        let split = |text| pair(text).map(|pair| (pair.key, pair.value));
        assert_eq!(split("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert_eq!(split("a="), Ok(("a".into(), String::new())));
        assert!(split("a").is_err() && split("=b").is_err());
    }

    #[test]
    fn limits_take_numbers_sizes_and_none() {
        let value = |text: &str| limit(&pair(&format!("x={text}")).unwrap());
        assert_eq!(value("5").unwrap(), json!(5));
        assert_eq!(value("0.5").unwrap(), json!(0.5));
        assert_eq!(value("64MiB").unwrap(), json!(67_108_864));
        assert_eq!(value("2g").unwrap(), json!(2_147_483_648_u64));
        assert_eq!(value("none").unwrap(), Value::Null);
        for bad in ["", "many", "1TB", "NaN", "-inf", "99999999999999999999GiB"] {
            assert_eq!(value(bad).unwrap_err().exit_code(), 2, "{bad}");
        }
    }

    #[test]
    fn values_come_from_files_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, "s3cret=\nline two\n").unwrap();
        let value = |text: &str| content(&pair(text).unwrap());
        assert_eq!(
            value(&format!("k=@{}", path.display())).unwrap(),
            "s3cret=\nline two"
        );
        assert_eq!(value("k=@@home").unwrap(), "@home");
        assert_eq!(value("k=plain").unwrap(), "plain");
        assert!(value("k=@/no/such/file").is_err());
        std::fs::write(&path, "x".repeat(70_000)).unwrap();
        assert!(value(&format!("k=@{}", path.display())).is_err());
    }
}
