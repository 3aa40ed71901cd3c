//! A Redis that speaks TLS, with a certificate that no public authority signed.

use crate::support::*;
use lodge_bus::{Settings, SupervisorEnd, WorkerEnd};
use lodge_harness::redis::Redis;
use lodge_model::{BootId, ClusterKey, FromWorkers};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::sync::Arc;

/// An authority of one's own.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> Vec<u8> {
        self.0.pem().into_bytes()
    }

    /// A Redis with a certificate of this authority for `localhost`.
    fn redis(&self) -> Redis {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Redis::start_tls(&certificate.pem(), &key.serialize_pem()).unwrap()
    }
}

fn settings(redis: &Redis, host: &str) -> Settings {
    let url = redis.tls_url(host).unwrap();
    let key = ClusterKey::new("the cluster's key of forty-two characters.").unwrap();
    Settings::new(&url, &url, key)
}

fn supervisor(settings: Settings) -> Arc<SupervisorEnd> {
    SupervisorEnd::open(settings, BootId::random().unwrap(), 1, None)
}

/// What stands in the way of a connection.
async fn refused(settings: Settings) -> String {
    let supervisor = supervisor(settings);
    heard(&supervisor, "that Redis is away", |heard| match heard {
        FromWorkers::Disconnected { reason } => Some(reason.clone()),
        _ => None,
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_authority_is_believed_if_it_is_given() {
    let authority = Authority::new();
    let redis = authority.redis();
    let settings = || {
        let settings = settings(&redis, "localhost");
        settings.with_authorities(authority.pem()).unwrap()
    };
    settings().check().unwrap();
    let state = tempfile::tempdir().unwrap();
    let supervisor = supervisor(settings());
    let worker = WorkerEnd::open(settings(), registration("here", "first"), state.path());
    joined(&supervisor).await;
    publish(&supervisor, &specification("shop", 2)).await;
    assert_eq!(specified(&worker).await.revision, at(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_certificate_is_believed() {
    let authority = Authority::new();
    let redis = authority.redis();
    let right = settings(&redis, "localhost");
    let others = right.clone().with_authorities(Authority::new().pem());
    let elsewhere = settings(&redis, "127.0.0.1").with_authorities(authority.pem());
    for (settings, what) in [
        (right, "public authorities"),
        (others.unwrap(), "another authority"),
        (elsewhere.unwrap(), "another name"),
    ] {
        let reason = refused(settings).await;
        assert!(reason.contains("certificate"), "{what}: {reason}");
        assert!(
            !reason.contains("p@ss") && !reason.contains("p%40ss"),
            "{reason}"
        );
    }
}
