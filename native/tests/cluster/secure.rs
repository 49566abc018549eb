//! Servers that require TLS, or credentials of a user.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nkeys::KeyPair;
use presence_gateway::ClusterConfig;

use super::*;
use crate::nats::{Nats, member};
use crate::support::start;
use crate::tls::Authority;

#[tokio::test]
async fn tls_with_an_authority_of_our_own() {
    let authority = Authority::new();
    authority.issue(&["127.0.0.1"], |_| {});
    let path = |name: &str| authority.path(name).display().to_string();
    let options = [
        "--tls",
        "--tlscert",
        &path("cert.pem"),
        "--tlskey",
        &path("key.pem"),
    ];
    let Some(nats) = Nats::start(&options).await else {
        return;
    };
    let url = nats.url().replace("nats://", "tls://");
    let gateway = |name: &str, authority: &Authority| {
        let mut config = member(&url, name);
        let fleet = ClusterConfig::new(&[&url], name).unwrap();
        config.cluster = Some(fleet.with_authorities(&authority.path("ca.pem")).unwrap());
        start(config)
    };
    let gateways = [gateway("a", &authority), gateway("b", &authority)];
    let (_phone, _) = Client::connect(gateways[0].address(), "phone", &[]).await;
    Reader::of(gateways[1].address())
        .await
        .wait_for("phone", "connect")
        .await;
    // An authority that did not issue the certificate is refused.
    let stranger = gateway("c", &Authority::new());
    wait_status(
        stranger.address(),
        "degraded",
        "cannot connect to tls://127.0.0.1:",
    )
    .await;
}

#[tokio::test]
async fn a_credentials_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let [operator, system, account] = [
        KeyPair::new_operator(),
        KeyPair::new_account(),
        KeyPair::new_account(),
    ];
    let unlimited = json!({
        "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1, "leaf": -1,
        "mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1,
    });
    let of_operator = jwt(
        &operator,
        &operator,
        json!({ "type": "operator", "system_account": system.public_key() }),
    );
    let of_system = jwt(&operator, &system, json!({ "type": "account" }));
    let of_account = jwt(
        &operator,
        &account,
        json!({ "type": "account", "limits": unlimited }),
    );
    let config = format!(
        "operator: {of_operator}\nsystem_account: {}\nresolver: MEMORY\nresolver_preload: {{\n{}: {of_system}\n{}: {of_account}\n}}\n",
        system.public_key(),
        system.public_key(),
        account.public_key(),
    );
    std::fs::write(path("nats.conf"), config).unwrap();
    for (name, account) in [("right", &account), ("wrong", &KeyPair::new_account())] {
        let user = KeyPair::new_user();
        let limits = json!({ "type": "user", "subs": -1, "data": -1, "payload": -1 });
        let (jwt, seed) = (jwt(account, &user, limits), user.seed().unwrap());
        let text = format!(
            "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
        );
        std::fs::write(path(name), text).unwrap();
    }
    let options = ["--config".to_owned(), path("nats.conf").display().to_string()];
    let Some(nats) = Nats::start(&[&options[0], &options[1]]).await else {
        return;
    };
    let gateway = |name: &str, credentials: &str| {
        let mut config = member(&nats.url(), name);
        let fleet = ClusterConfig::new(&[nats.url()], name).unwrap();
        config.cluster = Some(fleet.with_credentials(&path(credentials)).unwrap());
        start(config)
    };
    let gateways = [gateway("a", "right"), gateway("b", "right")];
    let (_phone, _) = Client::connect(gateways[0].address(), "phone", &[]).await;
    Reader::of(gateways[1].address())
        .await
        .wait_for("phone", "connect")
        .await;
    let stranger = gateway("c", "wrong");
    wait_status(stranger.address(), "degraded", "refuses the credentials").await;
}

/// A JWT of NATS, version 2.
fn jwt(issuer: &KeyPair, subject: &KeyPair, mut claims: Value) -> String {
    claims["version"] = json!(2);
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = part(&json!({ "typ": "JWT", "alg": "ed25519-nkey" }));
    let body = part(&json!({
        "jti": subject.public_key(), "iat": 1_700_000_000, "iss": issuer.public_key(), "name": "test",
        "sub": subject.public_key(), "nats": claims,
    }));
    let signed = [header, body].join(".");
    let signature = issuer.sign(signed.as_bytes()).unwrap();
    [signed, URL_SAFE_NO_PAD.encode(signature)].join(".")
}
