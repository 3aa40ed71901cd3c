//! Databases as flags.

use super::name;
use crate::cli::failure::Failure;
use crate::cli::values::{self, Pair};
use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

/// What `--database` takes.
#[derive(Debug, Clone)]
enum Database {
    Kind(&'static str),
    Url(String),
}

/// A database's make.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Engine {
    Sqlite,
    Postgres,
    Mysql,
    Mariadb,
}

/// Where an app's data lives.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct DatabaseFields {
    /// Where its data lives: none, new_database or new_schema on the host's service, or another
    /// server's URL (new_connection with --database-url-file keeps that out of the shell's history)
    #[arg(long, value_name = "KIND|URL", value_parser = database)]
    database: Option<Database>,
    /// The database's make
    #[arg(long, value_enum, value_name = "ENGINE", requires = "database")]
    database_engine: Option<Engine>,
    /// A file that holds the database's URL; - reads standard input
    #[arg(long, value_name = "FILE", requires = "database")]
    database_url_file: Option<String>,
}

fn database(text: &str) -> Result<Database, String> {
    match text.replace('-', "_").as_str() {
        "none" => Ok(Database::Kind("none")),
        "new_database" => Ok(Database::Kind("new_database")),
        "new_schema" => Ok(Database::Kind("new_schema")),
        "new_connection" => Ok(Database::Kind("new_connection")),
        _ if text.contains("://") => Ok(Database::Url(text.to_owned())),
        _ => Err("write none, new_database, new_schema, new_connection or a URL".to_owned()),
    }
}

impl DatabaseFields {
    /// The database as the API takes it, if one was given.
    ///
    /// # Errors
    /// The file cannot be read, or there are two URLs.
    pub(crate) fn to_json(&self) -> Result<Option<Value>, Failure> {
        let mut fields = Map::new();
        match &self.database {
            None => return Ok(None),
            Some(Database::Kind(kind)) => fields.insert("kind".to_owned(), json!(kind)),
            Some(Database::Url(url)) => {
                fields.insert("url".to_owned(), json!(url));
                fields.insert("kind".to_owned(), json!("new_connection"))
            }
        };
        if let Some(engine) = self.database_engine {
            fields.insert("engine".to_owned(), name(engine));
        }
        if let Some(file) = &self.database_url_file {
            let url = values::read(file)?.trim().into();
            if fields.insert("url".to_owned(), url).is_some() {
                return Err(Failure::Usage(
                    "the database's URL is given twice: leave out --database-url-file, or write \
                     --database new_connection"
                        .into(),
                ));
            }
        }
        Ok(Some(Value::Object(fields)))
    }

    /// Whether the URL comes from standard input.
    pub(crate) fn reads_stdin(&self) -> bool {
        self.database_url_file.as_deref() == Some("-")
    }
}

/// A data source: `app:ID`, a URL or `@FILE`, read-only unless `:rw` follows.
pub(super) fn source(pair: &Pair) -> Result<Value, Failure> {
    let (text, access) = match pair.value.strip_suffix(":rw") {
        Some(text) => (text, "read_write"),
        None => (pair.value.as_str(), "read_only"),
    };
    let place = values::content(&Pair {
        key: pair.key.clone(),
        value: text.to_owned(),
    })?;
    let place = place.trim();
    match place.strip_prefix("app:") {
        Some(app) => Ok(json!({ "app": app, "access": access })),
        None if place.contains("://") => Ok(json!({ "url": place, "access": access })),
        // The text is not shown: it may hold a password.
        None => Err(Failure::Usage(format!(
            "--data-source {}: write app:ID, a URL such as postgres://user:password@host/name, or \
             @FILE, each with :rw if it may write",
            pair.key
        ))),
    }
}
