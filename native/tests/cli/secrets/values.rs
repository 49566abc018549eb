//! Values that hold secrets, as a panic or a log shows them.

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};

use presence_core::client::{Client, ClientConfig};
use presence_core::model::{ClientInfo, Role};
use presence_core::server::Permit;
use presence_core::wire::ConnectParams;
use presence_gateway::{
    AuthMode, Clock, ClusterConfig, Gateway, GatewayConfig, NamedToken, Secret, Tls, Tokens, WebhookConfig,
};
use serde_json::json;

use super::{Authority, MAIN, NAMED, NATS, OBSERVED, Outputs, PATH, WEBHOOK, WRONG};

/// What a panic or a log would show of these values.
pub(super) fn show(outputs: &mut Outputs, authority: &Authority) {
    let secret = |text| Secret::new(text).unwrap();
    let mut config = GatewayConfig::ephemeral();
    config.auth = AuthMode::Password(secret(MAIN));
    let permit = Permit {
        roles: [Role::Operator].into(),
        scopes: ["operator.read".into()].into(),
        hides_addresses: false,
    };
    let named = NamedToken::new("reader", &secret(NAMED), permit, None).unwrap();
    config.tokens = Some(Tokens::new(vec![named]).unwrap());
    config.tls = Some(Tls::from_files(&authority.path("cert.pem"), &authority.path("key.pem")).unwrap());
    let url = format!("http://127.0.0.1:1/{PATH}");
    config.webhook = Some(WebhookConfig::new(&url, &secret(WEBHOOK), None).unwrap());
    let cluster = ClusterConfig::new(&[format!("nats://user:{NATS}@127.0.0.1:1")], "x").unwrap();
    config.cluster = Some(cluster.with_credentials(&authority.path("nats.creds")).unwrap());
    outputs.add("configuration", format!("{config:#?}"), "GatewayConfig");
    outputs.add("panic", panic_text(config.clone()), "on purpose: GatewayConfig");
    let gateway = Gateway::bind(config).unwrap();
    outputs.add("gateway", format!("{gateway:#?}"), "Gateway");
    outputs.add("panic", panic_text(gateway), "on purpose: Gateway");
    let params = json!({
        "minProtocol": 3,
        "maxProtocol": 4,
        "auth": { "token": MAIN, "password": WRONG, "deviceToken": NAMED, "bootstrapToken": OBSERVED },
        "client": { "id": "cli", "version": "1", "platform": "linux", "mode": "cli" },
    });
    let params = ConnectParams::parse(&params.to_string()).unwrap();
    outputs.add("panic", panic_text(params), "on purpose: ConnectParams");
    let client = ClientConfig {
        token: Some(MAIN.into()),
        password: Some(WRONG.into()),
        ..ClientConfig::new(ClientInfo::default())
    };
    outputs.add("client", format!("{client:?}"), "ClientConfig");
    let client = Client::new(client, Clock::system().now());
    outputs.add("client", format!("{client:?}"), "Client");
    outputs.add("panic", panic_text(client), "on purpose: Client");
}

/// The text of a panic about a value, as `expect` makes it.
fn panic_text<T: Debug>(value: T) -> String {
    let result = Some(value).map_or(Ok(()), Err);
    let panics = AssertUnwindSafe(|| result.expect("a panic on purpose"));
    *catch_unwind(panics).unwrap_err().downcast::<String>().unwrap()
}
