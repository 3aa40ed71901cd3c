//! Where a database server is, read from a URL. Nothing of it may lead to a file or a socket of this
//! machine: of the parameters, only the one about TLS is taken.

use lodge_model::{DatabaseEngine, Secret};
use percent_encoding::percent_decode_str;
use sqlx::mysql::MySqlSslMode;
use sqlx::postgres::PgSslMode;
use url::Url;

/// A server, a database in it, and who one is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// As the URL's scheme says; MySQL and MariaDB are told apart by the server.
    pub(crate) engine: DatabaseEngine,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) password: Secret,
    /// May be empty: none was named.
    pub(crate) database: String,
    pub(crate) tls: Tls,
}

/// Whether the way to the server is encrypted, and whom one believes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tls {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl Address {
    /// Reads a URL. The texts of errors hold nothing of it but names of parameters.
    ///
    /// # Errors
    /// It is not of the form, or asks for what an app may not have.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        let url = Url::parse(url).map_err(|e| format!("is not a URL: {e}"))?;
        let (engine, port) = match url.scheme() {
            "postgres" | "postgresql" => (DatabaseEngine::Postgres, 5432),
            "mysql" => (DatabaseEngine::Mysql, 3306),
            "mariadb" => (DatabaseEngine::Mariadb, 3306),
            _ => return Err("must begin with postgres://, mysql:// or mariadb://".into()),
        };
        let host = text(url.host_str().unwrap_or_default())?;
        if host.is_empty() {
            return Err("names no host: write postgres://user:password@host/database".into());
        }
        if host.starts_with(['/', '@']) {
            return Err("names a socket of this machine: give a host and a port".into());
        }
        let mut tls = Tls::Prefer;
        for (name, value) in url.query_pairs() {
            match &*name {
                "sslmode" | "ssl-mode" => tls = Tls::parse(&value)?,
                _ => {
                    return Err(format!(
                        "has the parameter `{name}`, which is not taken: only sslmode is (disable, prefer, require, \
                         verify-ca, verify-full)"
                    ));
                }
            }
        }
        let database = text(url.path().trim_start_matches('/'))?;
        if database.contains(['/', '\0']) {
            return Err("names no database: write postgres://user:password@host/database".into());
        }
        Ok(Self {
            engine,
            host: host.trim_matches(['[', ']']).to_owned(),
            port: url.port().unwrap_or(port),
            user: text(url.username())?,
            password: Secret(text(url.password().unwrap_or_default())?),
            database,
            tls,
        })
    }

    /// The same server for somebody else.
    pub(crate) fn with_login(&self, database: &str, user: &str, password: Secret) -> Self {
        Self {
            database: database.to_owned(),
            user: user.to_owned(),
            password,
            ..self.clone()
        }
    }

    /// The server's name, which connections are counted by.
    pub(crate) fn server(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

impl Tls {
    fn parse(value: &str) -> Result<Self, String> {
        match value.to_ascii_lowercase().replace('_', "-").as_str() {
            "disable" | "disabled" => Ok(Self::Disable),
            "prefer" | "preferred" => Ok(Self::Prefer),
            "require" | "required" => Ok(Self::Require),
            "verify-ca" => Ok(Self::VerifyCa),
            "verify-full" | "verify-identity" => Ok(Self::VerifyFull),
            _ => Err(
                "has an unknown sslmode: disable, prefer, require, verify-ca or verify-full".into(),
            ),
        }
    }
}

impl From<Tls> for PgSslMode {
    fn from(tls: Tls) -> Self {
        match tls {
            Tls::Disable => Self::Disable,
            Tls::Prefer => Self::Prefer,
            Tls::Require => Self::Require,
            Tls::VerifyCa => Self::VerifyCa,
            Tls::VerifyFull => Self::VerifyFull,
        }
    }
}

impl From<Tls> for MySqlSslMode {
    fn from(tls: Tls) -> Self {
        match tls {
            Tls::Disable => Self::Disabled,
            Tls::Prefer => Self::Preferred,
            Tls::Require => Self::Required,
            Tls::VerifyCa => Self::VerifyCa,
            Tls::VerifyFull => Self::VerifyIdentity,
        }
    }
}

fn text(encoded: &str) -> Result<String, String> {
    let decoded = percent_decode_str(encoded).decode_utf8();
    decoded
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| "is not UTF-8 once it is decoded".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let address =
            Address::parse("postgres://u%40x:p%2F%3A@db.example:6000/shop?sslmode=verify-full")
                .unwrap();
        assert_eq!(address.user, "u@x");
        assert_eq!(address.password.0, "p/:");
        assert_eq!((address.host.as_str(), address.port), ("db.example", 6000));
        assert_eq!(
            (address.database.as_str(), address.tls),
            ("shop", Tls::VerifyFull)
        );
        let address = Address::parse("mariadb://u@[::1]/d").unwrap();
        assert_eq!((address.host.as_str(), address.port), ("::1", 3306));
        assert!(!format!("{address:?}").contains("p/:"));
    }

    #[test]
    fn nothing_leads_to_files_or_sockets() {
        for bad in [
            "sqlite:///etc/passwd",
            "postgres:///d",
            "postgres://%2Fvar%2Frun%2Fpostgresql/d",
            "postgres://u@h/d?host=/var/run/postgresql",
            "postgres://u@h/d?hostaddr=10.0.0.1",
            "postgres://u@h/d?sslrootcert=/etc/shadow",
            "postgres://u@h/d?sslkey=/root/.ssh/id_rsa",
            "postgres://u@h/d?passfile=/etc/shadow",
            "postgres://u@h/d?options=-csearch_path=x",
            "mysql://u@h/d?socket=/run/mysqld/mysqld.sock",
            "mysql://u@h/d?ssl-ca=/etc/shadow",
            "mysql://u@h/d?sslmode=maybe",
            "postgres://u@h/d/e",
        ] {
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
    }
}
