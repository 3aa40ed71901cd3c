//! TLS to a database server. Its certificate is made by the test, for `localhost`, and no system trusts it:
//! who does is a process with `PGSSLROOTCERT`, which is this test once more.

use super::bed::Bed;
use super::rooms::provider;
use super::urls::{by_url, guest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lodge_model::{Account, DatabaseEngine, Limits, Provider as _, Value};
use std::process::Command;
use std::sync::Arc;

/// Tells the process that trusts the certificate where the server is.
const SERVER: &str = "LODGE_TEST_TLS_SERVER";

/// Whether an app's connection by this URL is encrypted, or why there is none.
async fn encrypted(url: &str) -> Result<bool, String> {
    let (provider, _folder) = provider(Default::default());
    let mut grant = crate::outbound::grant("shop", &[], Limits::default());
    grant.jwt_keys =
        vec![lodge_capabilities::tokens::generate(lodge_model::JwtAlgorithm::HS256).unwrap()];
    grant.database = by_url(url);
    let account: Arc<dyn Account> = Arc::<crate::outbound::TestAccount>::default();
    let opened = provider.open(&grant, account).await;
    let opened = opened.map_err(|error| error.to_string())?;
    let source = opened.databases.open("default").await.unwrap();
    let asked = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let rows = source.query(asked, vec![]).await.unwrap().rows;
    Ok(rows == [[Value::Boolean(true)]])
}

/// Gives the server a key and a certificate, of which the text is given.
async fn switch_on(bed: &Bed) -> String {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = pem("PRIVATE KEY", &made.signing_key.serialize_der());
    let certificate = pem("CERTIFICATE", made.cert.der());
    for (name, pem) in [("server.key", &key), ("server.crt", &certificate)] {
        // Written by the server, whose files they are: each line is a row.
        let rows = format!("SELECT unnest(string_to_array('{}', E'\\n'))", pem.trim());
        let sql = format!("COPY ({rows}) TO PROGRAM 'umask 077; cat > {name}'");
        bed.admin("", &sql).await.unwrap();
    }
    for sql in ["ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()"] {
        bed.admin("", sql).await.unwrap();
    }
    certificate
}

/// RFC 7468.
fn pem(label: &str, bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy);
    let lines = lines.collect::<Vec<_>>().join("\n");
    format!("-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n")
}

#[tokio::test]
async fn what_a_url_says_of_tls_is_kept_to() {
    let bed = Bed::new(DatabaseEngine::Postgres);
    let url = guest(&bed).await.replace("127.0.0.1", "localhost");
    let without = encrypted(&format!("{url}?sslmode=require")).await;
    assert!(without.unwrap_err().contains("TLS"));
    assert_eq!(encrypted(&url).await, Ok(false));
    let certificate = switch_on(&bed).await;
    // The server takes its new settings when it comes to it.
    let require = format!("{url}?sslmode=require");
    for _ in 0..200 {
        if encrypted(&require).await.is_ok() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(encrypted(&require).await, Ok(true));
    assert_eq!(encrypted(&url).await, Ok(true), "preferred");
    let plain = encrypted(&format!("{url}?sslmode=disable")).await;
    assert_eq!(plain, Ok(false));
    for mode in ["verify-ca", "verify-full"] {
        let stranger = encrypted(&format!("{url}?sslmode={mode}")).await;
        let why = stranger.unwrap_err();
        assert!(why.contains("certificate"), "{mode}: {why}");
    }
    // Once more, as a process that trusts it.
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), certificate).unwrap();
    let trusting = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "databases::tls::who_is_trusted"])
        .env("PGSSLROOTCERT", file.path())
        .env(SERVER, &url)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&trusting.stdout);
    assert!(
        trusting.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

#[tokio::test]
#[ignore = "run by the test above, which has a server"]
async fn who_is_trusted() {
    let Ok(url) = std::env::var(SERVER) else {
        return;
    };
    for mode in ["verify-ca", "verify-full"] {
        assert_eq!(encrypted(&format!("{url}?sslmode={mode}")).await, Ok(true));
    }
    // The same server by a name that its certificate is not for.
    let other = url.replace("localhost", "127.0.0.1");
    let any = encrypted(&format!("{other}?sslmode=verify-ca")).await;
    assert_eq!(any, Ok(true));
    let refused = encrypted(&format!("{other}?sslmode=verify-full")).await;
    let why = refused.unwrap_err();
    assert!(why.contains("not valid for name"), "{why}");
}
