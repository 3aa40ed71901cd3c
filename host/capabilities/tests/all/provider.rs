//! The provider: one app's capabilities from its grant, and grants that cannot be.

use crate::outbound::{TestAccount, grant};
use lodge_capabilities::{HostKey, HostProvider, database, outbound, tokens};
use lodge_model::{
    Expectations, Grant, GrantError, JwtAlgorithm, JwtKey, Limits, Provider, Secret, SignOptions,
};
use std::sync::Arc;

fn provider(folder: &tempfile::TempDir) -> Arc<HostProvider> {
    let key = Arc::new(HostKey::open(folder.path()).unwrap());
    HostProvider::new(
        folder.path(),
        database::Settings::default(),
        outbound::Settings::default(),
        key,
    )
    .unwrap()
}

fn granted() -> Grant {
    let mut grant = grant("shop", &["api.example.com".into()], Limits::default());
    grant.jwt_keys = vec![tokens::generate(JwtAlgorithm::HS256).unwrap()];
    grant.config.insert("SMTP".into(), Secret("hidden".into()));
    grant
}

#[tokio::test]
async fn an_app_gets_what_it_was_granted() {
    let folder = tempfile::tempdir().unwrap();
    let provider = provider(&folder);
    let grant = granted();
    let capabilities = provider
        .open(&grant, Arc::<TestAccount>::default())
        .await
        .unwrap();
    assert_eq!(capabilities.config["SMTP"].0, "hidden");
    assert!(!format!("{:?}", capabilities.config).contains("hidden"));
    let token = capabilities
        .tokens
        .sign("{}", &SignOptions::default())
        .unwrap();
    // Opened again, as after a restart: the same keys.
    let again = provider
        .open(&grant, Arc::<TestAccount>::default())
        .await
        .unwrap();
    again
        .tokens
        .verify(&token, &Expectations::default())
        .unwrap();
    provider.close(&grant.app).await;
}

#[tokio::test]
async fn a_grant_that_cannot_be_is_refused_without_its_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let provider = provider(&folder);
    let mut host = granted();
    host.outbound_hosts.push("https://x".into());
    let mut key = granted();
    key.jwt_keys.push(JwtKey {
        id: "k2".into(),
        algorithm: JwtAlgorithm::RS256,
        secret: Secret("broken-secret".into()),
        retired_at: None,
    });
    for (grant, named) in [(host, "https://x"), (key, "k2")] {
        let Err(refused) = provider.open(&grant, Arc::<TestAccount>::default()).await else {
            panic!("{named} was taken");
        };
        assert!(matches!(refused, GrantError::Refused(_)));
        let text = refused.to_string();
        assert!(
            text.contains(named) && !text.contains("broken-secret"),
            "{text}"
        );
    }
}
