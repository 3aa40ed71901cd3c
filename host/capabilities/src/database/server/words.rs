//! The first words of a statement, as its engine reads them: what a guest may send through a
//! connection of the host's.
//!
//! What keeps an app in its room are its role's rights on the server. This comes before them: it gives
//! a clear answer, keeps sessions as the host made them (they are lent again), and keeps transactions in
//! the host's hands. Several statements in one text are refused by the servers' own protocols.

use lodge_model::{DatabaseEngine, SqlError};

const READS: &[&str] = &[
    "SELECT", "WITH", "VALUES", "TABLE", "SHOW", "EXPLAIN", "DESCRIBE", "DESC",
];
const WRITES: &[&str] = &[
    "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "CREATE", "ALTER", "DROP", "RENAME",
    "TRUNCATE", "COMMENT", "ANALYZE", "OPTIMIZE", "CHECK", "REINDEX", "REFRESH", "VACUUM", "CALL",
];
const TRANSACTIONS: &[&str] = &[
    "BEGIN",
    "START",
    "COMMIT",
    "END",
    "ROLLBACK",
    "SAVEPOINT",
    "RELEASE",
    "ABORT",
    "XA",
];
/// What `CREATE`, `ALTER` and `DROP` are not for.
const NOT_THE_APPS: &[&str] = &[
    "ROLE",
    "USER",
    "GROUP",
    "DATABASE",
    "SYSTEM",
    "SERVER",
    "TABLESPACE",
    "EVENT",
    "DEFAULT",
    "SUBSCRIPTION",
    "PUBLICATION",
    "LANGUAGE",
    "FOREIGN",
    "INSTANCE",
    "LOGFILE",
    "RESOURCE",
];

/// Checks that a guest may send this statement.
///
/// # Errors
/// [`SqlError::Refused`], with what to do instead.
pub(super) fn check(sql: &str, engine: DatabaseEngine, read_only: bool) -> Result<(), SqlError> {
    let mut words = Words { rest: sql, engine };
    let Some(first) = words.next()? else {
        return Err(SqlError::Refused("the statement is empty".into()));
    };
    let first = first.as_str();
    if TRANSACTIONS.contains(&first) {
        return Err(SqlError::Refused(format!(
            "`{first}` is the host's to send: use `begin` of the data source, and `commit` or `rollback` of its \
             transaction"
        )));
    }
    if READS.contains(&first) {
        return Ok(());
    }
    if !WRITES.contains(&first) {
        return Err(SqlError::Refused(format!(
            "`{first}` is not for apps: the host keeps the session, and the app its own room"
        )));
    }
    if read_only {
        return Err(SqlError::Refused(format!(
            "`{first}` writes, and this data source was granted for reading only"
        )));
    }
    if matches!(first, "CREATE" | "ALTER" | "DROP" | "RENAME") {
        if engine != DatabaseEngine::Postgres {
            stays_home(sql)?;
        }
        // CREATE [OR REPLACE] ROLE
        for _ in 0..3 {
            match words.next()? {
                Some(word) if NOT_THE_APPS.contains(&word.as_str()) => {
                    return Err(SqlError::Refused(format!(
                        "`{first} {word}` is not for apps: it is about the server, not about the app's own room"
                    )));
                }
                Some(word) if word == "OR" || word == "REPLACE" => {}
                _ => break,
            }
        }
    }
    Ok(())
}

/// Checks that a text for MySQL or MariaDB puts no table's files into a folder of its choice (`DATA DIRECTORY`, `INDEX
/// DIRECTORY`), which needs no right of the role. Sessions take no notice of it either (`NO_DIR_IN_CREATE`): this says
/// so, before a table is somewhere else than its maker thinks.
///
/// # Errors
/// [`SqlError::Refused`].
pub(super) fn stays_home(sql: &str) -> Result<(), SqlError> {
    const WORD: &str = "DIRECTORY";
    let text = sql.to_ascii_uppercase();
    for (at, _) in text.match_indices(WORD) {
        let (before, after) = (
            text.get(..at).unwrap_or_default(),
            text.get(at + WORD.len()..).unwrap_or_default(),
        );
        let value = after.trim_start_matches(|c: char| c.is_whitespace() || c == '=');
        // A path is a whole one. A comment may hide it.
        let path = value.strip_prefix(['\'', '"']).unwrap_or(value);
        let has_value = path.starts_with(['/', '\\', '*', '-', '#']);
        let words = before.trim_end();
        // A comment may hide the word before it.
        let broken = before.get(words.len()..).unwrap_or_default().contains('\n');
        let line = words.rsplit('\n').next().unwrap_or_default();
        let hidden = words.contains("/*") || broken && (line.contains("--") || line.contains('#'));
        let names = ["DATA", "INDEX"].iter().any(|name| match hidden {
            true => words.contains(name),
            false => words.ends_with(name),
        });
        if has_value && names {
            return Err(SqlError::Refused(
                "`DATA DIRECTORY` and `INDEX DIRECTORY` are not for apps: leave them out, and the table is with the others"
                    .into(),
            ));
        }
    }
    Ok(())
}

/// Words in upper case; brackets, spaces and comments are passed over.
struct Words<'a> {
    rest: &'a str,
    engine: DatabaseEngine,
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Result<Option<String>, SqlError> {
        loop {
            self.rest = self
                .rest
                .trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '(' | ';'));
            let postgres = self.engine == DatabaseEngine::Postgres;
            if let Some(comment) = self.rest.strip_prefix("/*") {
                if !postgres && comment.starts_with(['!', 'M', '+']) {
                    return Err(SqlError::Refused(
                        "a statement does not begin with a comment that is executed".into(),
                    ));
                }
                self.rest = after_comment(comment, postgres);
            } else if let Some(line) = self.line_comment() {
                self.rest = line.split_once('\n').map_or("", |(_, rest)| rest);
            } else {
                break;
            }
        }
        let end = self
            .rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        match (word.is_empty(), rest.is_empty()) {
            (false, _) => Ok(Some(word.to_ascii_uppercase())),
            (true, true) => Ok(None),
            // A quoted name, or something else that is no word.
            (true, false) => Ok(Some("?".into())),
        }
    }

    fn line_comment(&self) -> Option<&'a str> {
        if self.engine == DatabaseEngine::Postgres {
            return self.rest.strip_prefix("--");
        }
        // MySQL's needs a space after it.
        let dashes = self.rest.strip_prefix("--");
        let dashes = dashes.filter(|line| line.is_empty() || line.starts_with(char::is_whitespace));
        dashes.or_else(|| self.rest.strip_prefix('#'))
    }
}

/// What follows a comment; PostgreSQL's have comments within.
fn after_comment(mut text: &str, nested: bool) -> &str {
    let mut depth = 1;
    while depth > 0 {
        let close = text.find("*/");
        let open = text.find("/*").filter(|_| nested);
        let (at, inward) = match (open, close) {
            (Some(open), Some(close)) if open < close => (open, true),
            (_, Some(close)) => (close, false),
            _ => return "",
        };
        depth = if inward { depth + 1 } else { depth - 1 };
        text = text.get(at + 2..).unwrap_or_default();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use DatabaseEngine::{Mariadb, Postgres};

    #[test]
    fn what_apps_do_is_let_through() {
        for good in [
            "select 1",
            " -- a\n /* b */ (SELECT 1) UNION (SELECT 2)",
            "WITH a AS (SELECT 1) SELECT * FROM a",
            "INSERT INTO a VALUES (1)",
            "CREATE TABLE role (id int)",
            "CREATE OR REPLACE VIEW v AS SELECT 1",
            "CREATE UNIQUE INDEX i ON a (b)",
        ] {
            check(good, Postgres, false).unwrap_or_else(|e| panic!("{good}: {e}"));
            check(good, Mariadb, false).unwrap_or_else(|e| panic!("{good}: {e}"));
        }
    }

    #[test]
    fn what_leaves_the_room_is_refused() {
        for bad in [
            "",
            " /* only a comment */ ",
            "SET search_path = other",
            "set role postgres",
            "RESET ALL",
            "COPY a TO PROGRAM 'sh'",
            "LOAD DATA INFILE '/etc/passwd' INTO TABLE a",
            "USE mysql",
            "GRANT ALL ON a TO PUBLIC",
            "BEGIN",
            "COMMIT",
            "DO $$ BEGIN END $$",
            "PREPARE x AS SELECT 1",
            "EXECUTE IMMEDIATE 'SET x = 1'",
            "ALTER ROLE me SUPERUSER",
            "alter user me",
            "CREATE OR REPLACE EVENT e",
            "DROP DATABASE d",
            "\"SELECT\" 1",
        ] {
            for engine in [Postgres, Mariadb] {
                assert!(check(bad, engine, false).is_err(), "{bad}");
            }
        }
    }

    #[test]
    fn tables_stay_with_the_others() {
        for bad in [
            "CREATE TABLE f (a int) ENGINE = MyISAM DATA DIRECTORY = '/tmp'",
            "create table f (a int) index  directory\t\"/tmp\"",
            "CREATE TABLE f (a int) DATA/* x */DIRECTORY='/tmp'",
            "CREATE TABLE f (a int) DATA -- x\n DIRECTORY /* y */ '/tmp'",
            "CREATE TABLE f (a int) /*! DATA */ DIRECTORY # z\n '/tmp'",
            "CREATE TABLE f (a int) DATA/*!50000DIRECTORY*/ '/tmp'",
            "CREATE PROCEDURE p() CREATE TABLE f (a int) DATA DIRECTORY '/tmp'",
        ] {
            assert!(check(bad, Mariadb, false).is_err(), "{bad}");
        }
        for good in [
            "CREATE TABLE files (data blob, directory text DEFAULT '/')",
            "INSERT INTO files (directory) VALUES ('data directory')",
            "INSERT INTO notes VALUES ('DATA DIRECTORY = /tmp')",
            "INSERT INTO notes VALUES ('INDEX DIRECTORY /tmp')",
            "CREATE VIEW v AS SELECT data FROM files WHERE\ndirectory = '/'",
        ] {
            check(good, Mariadb, false).unwrap_or_else(|e| panic!("{good}: {e}"));
        }
    }

    #[test]
    fn comments_hide_nothing() {
        // Nested in PostgreSQL, where the first `*/` does not end them.
        assert!(check("/* /* */ SELECT */ COMMIT", Postgres, false).is_err());
        assert!(check("/*! SET x = 1 */ SELECT 1", Mariadb, false).is_err());
        assert!(check("/*M!100100 COMMIT */", Mariadb, false).is_err());
        assert!(check("# SELECT\nCOMMIT", Mariadb, false).is_err());
        // No comment in MySQL.
        assert!(check("--SELECT\n1", Mariadb, false).is_err());
    }

    #[test]
    fn readers_read() {
        check("SELECT 1", Postgres, true).unwrap();
        for bad in ["INSERT INTO a VALUES (1)", "CALL p()", "TRUNCATE a"] {
            assert!(check(bad, Postgres, true).is_err(), "{bad}");
        }
    }
}
