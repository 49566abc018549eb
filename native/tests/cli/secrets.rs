//! The secrets of a gateway and its clients are in none of their outputs.

mod values;

use std::fmt::Write as _;
use std::fs::{self, File};
use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use nkeys::KeyPair;
use presence_gateway::{AuthMode, Secret};
use rustix::process::Signal;
use serde_json::json;

use super::*;
use crate::support::process::signal;
use crate::support::raw_http;
use crate::support_tls::{Authority, VERSIONS, connect, open};

const MAIN: &str = "s3cret-main-0123";
const NAMED: &str = "s3cret-named-0123";
const WRONG: &str = "s3cret-wrong-0123";
const OBSERVED: &str = "s3cret-observed-0123";
const WEBHOOK: &str = "s3cret-webhook-0123";
const NATS: &str = "s3cret-nats-0123";
const PATH: &str = "s3cret-path-0123";

/// The outputs, and what none of them may contain.
#[derive(Default)]
struct Outputs {
    secrets: Vec<String>,
    texts: Vec<(String, Vec<u8>)>,
}

impl Outputs {
    fn keep_out(&mut self, secret: &str) {
        assert!(secret.len() > 8, "{secret} may be in an output by chance");
        self.secrets.push(secret.to_owned());
    }

    /// Adds an output that contains `word`.
    fn add(&mut self, name: &str, text: impl Into<Vec<u8>>, word: &str) {
        let text = text.into();
        assert!(
            contains(&text, word),
            "{name}: {}",
            String::from_utf8_lossy(&text)
        );
        self.texts.push((name.to_owned(), text));
    }

    /// Adds both outputs of a command, one of which contains `word`.
    async fn run(&mut self, command: Command, word: &str) {
        let name = format!("{:?}", command.as_std().get_args().next().unwrap());
        let output = run(command).await;
        self.add(&name, output.stdout + &output.stderr, word);
    }

    fn check(&self) {
        let mut found = Vec::new();
        for form in self.secrets.iter().flat_map(|secret| forms(secret)) {
            for (name, text) in &self.texts {
                if contains(text, &form) {
                    found.push((name, form.clone()));
                }
            }
        }
        assert!(found.is_empty(), "{found:?}");
    }
}

fn contains(text: &[u8], word: &str) -> bool {
    word.is_empty() || text.windows(word.len()).any(|part| part == word.as_bytes())
}

/// A secret as text, as hexadecimal digits, and as the middle of Base64 at each alignment.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned(), String::new()];
    for byte in secret.bytes() {
        write!(forms[1], "{byte:02x}").unwrap();
    }
    for before in 0..3 {
        let bytes = [vec![0; before], secret.as_bytes().to_vec()].concat();
        let whole = before.div_ceil(3) * 4..bytes.len() / 3 * 4;
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            forms.push(engine.encode(&bytes)[whole.clone()].to_owned());
        }
    }
    forms
}

/// A right or wrong secret in all places in which clients send one, and what they get for it.
async fn use_everywhere(outputs: &mut Outputs, authority: &Authority, address: SocketAddr, secret: &str) {
    let tls = authority.client(&VERSIONS);
    for name in ["token", "password"] {
        let mut client = open(&tls, address, &format!("Cookie: token={secret}\r\n")).await;
        client.event().await;
        let mut params = support::connect_params("studio-9", &["operator.read", "operator.admin"]);
        params["auth"] = json!({ name: secret });
        let answer = client.request("connect", params).await;
        let word = if answer["ok"] == true {
            "studio-9"
        } else {
            "unauthorized"
        };
        outputs.add("connect", answer.to_string(), word);
        if answer["ok"] == false {
            continue;
        }
        for (method, params) in [
            ("health", json!({})),
            ("status", json!({})),
            ("presence.snapshot", json!({})),
            ("presence.explain", json!({})),
            ("presence.explain", json!({ "key": "studio-9" })),
            ("presence.history", json!({})),
            ("node.list", json!({})),
            ("system-event", json!({ "text": 5 })),
        ] {
            let answer = client.request(method, params).await;
            outputs.add(method, answer.to_string(), r#""type":"res""#);
        }
    }
    let basic = STANDARD_NO_PAD.encode(format!("user:{secret}"));
    for (line, authorization) in [
        ("GET /api/presence", format!("Bearer {secret}")),
        ("GET /api/presence", format!("Basic {basic}")),
        ("GET /api/nothing", format!("Bearer {secret}")),
        ("GET /api/presence/stream", format!("Bearer {secret}")),
        ("POST /api/beacon", format!("Bearer {secret}")),
        ("GET /metrics", format!("Bearer {secret}")),
        ("GET /readyz", format!("Bearer {secret}")),
        ("BREW /", format!("Bearer {secret}")),
    ] {
        let request = format!(
            "{line}?token={secret} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: studio-9\r\n\
             Authorization: {authorization}\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{{}}"
        );
        let mut stream = connect(&tls, address).await;
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        within("an answer", async {
            // The stream of events has no end; a failure is one.
            while let Ok(1..) = stream.read_buf(&mut answer).await
                && !contains(&answer, "\ndata:")
            {}
        })
        .await;
        outputs.add(line, answer, "HTTP/1.1 ");
    }
    // Not encrypted, on the port of TLS.
    let plain = format!("GET /?token={secret} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    outputs.add("plain HTTP", raw_http(address, &plain).await, "HTTP");
}

/// The commands of clients with this secret.
async fn run_commands(outputs: &mut Outputs, authority: &Authority, port: u16, secret: &str) {
    for host in ["localhost", "0.0.0.0"] {
        // The second one counts as another machine, for which a device key is used.
        let url = format!("https://{host}:{port}/#token={secret}");
        for (arguments, word) in [
            (&["list"][..], "STATUS"),
            (&["list", "--json"], "studio-9"),
            (&["list", "--seen"], "STATUS"),
            (&["explain", "studio-9"], "studio-9"),
            (&["doctor", "--json"], "checksRun"),
            (&["history", "--csv"], "key,host"),
            (&["beacon", "--instance-id", "studio-9"], ""),
        ] {
            let mut command = program(arguments);
            command
                .env("OPENCLAW_GATEWAY_URL", &url)
                .env("OPENCLAW_GATEWAY_TLS_CA", authority.path("ca.pem"))
                .env("HOME", authority.path(""));
            let word = if secret == WRONG { "refused" } else { word };
            outputs.run(command, word).await;
        }
    }
}

/// Settings that are refused, and hold a secret.
async fn refuse_settings(outputs: &mut Outputs, authority: &Authority) {
    authority.write("wrong.toml", &format!("port = 0\ntoken = \"{WRONG}\n"));
    authority.write("list.toml", &format!("port = 0\ntoken = [\"{WRONG}\"]\n"));
    authority.write("name.toml", &format!("port = 0\ntokn = \"{WRONG}\"\n"));
    authority.write("short", "s3cret-0123");
    let path = |name: &str| authority.path(name).to_str().unwrap().to_owned();
    let url = format!("ws://user:{WRONG}@127.0.0.1:1");
    for arguments in [
        ["--config", &path("wrong.toml")],
        ["--config", &path("list.toml")],
        ["--config", &path("name.toml")],
        ["--tokens", &path("name.toml")],
        ["--observe-token", WRONG],
        ["--observe-password", &format!("nobody={WRONG}")],
        ["--observe", &format!("home={url}")],
        ["--observe", &format!("home=ws://127.0.0.1:1/?token={WRONG}")],
        ["--cluster", &format!("nats://user:{WRONG}@ 127.0.0.1")],
        ["--webhook", &format!("http://127.0.0.1:1/{WRONG}")],
        ["--webhook", &format!("gopher://127.0.0.1:1/{WRONG}")],
        ["--token", &format!("{WRONG}\u{1}")],
        ["--password", &format!("{WRONG}\u{1}")],
    ] {
        let secret_file = path("short");
        let mut all = vec!["serve", "--port", "0"];
        all.extend(arguments);
        if arguments[0] == "--webhook" {
            all.extend(["--webhook-secret-file", &secret_file]);
        }
        outputs.run(program(&all), "usage: ").await;
    }
    for url in [&url, &format!("gopher://127.0.0.1/?token={WRONG}#token={WRONG}")] {
        outputs.run(program(&["list", "--url", url]), "usage: ").await;
    }
}

/// Starts `serve` with everything on. Both outputs go to files, which are complete at its end.
fn serve_all(authority: &Authority, auth: &str, observed: &[&str]) -> Child {
    let path = |name: &str| authority.path(name).to_str().unwrap().to_owned();
    let mut command = program(&["serve", "--port", "0", "--log-level", "trace", "--metrics"]);
    command
        .args(["--metrics-bind", "127.0.0.1:0", "--tls-cert", &path("cert.pem")])
        .args(["--tls-key", &path("key.pem"), "--tokens", &path("tokens.toml")])
        .args(["--observe-token", &format!("home={OBSERVED}")])
        .args(["--observe-password", &format!("away={WRONG}")])
        .args([
            "--observe-token-file",
            &format!("file={}", path("observed.token")),
        ])
        .args(["--webhook", &format!("http://127.0.0.1:1/{PATH}?key={PATH}")])
        .args(["--webhook-secret-file", &path("webhook.secret")])
        .args([
            "--cluster",
            &format!("nats://user:{NATS}@127.0.0.1:1"),
            "--cluster-name",
            "x",
        ])
        .args(["--history", &path("history.db"), "--record", &path("recording")]);
    for gateway in observed {
        command.args(["--observe", gateway]);
    }
    if auth == "password" {
        // Instead of the user in the URL.
        command.args(["--cluster-creds", &path("nats.creds"), "--log-format", "json"]);
    }
    command
        .env(format!("OPENCLAW_GATEWAY_{}", auth.to_uppercase()), MAIN)
        .stdout(File::create(authority.path("stdout")).unwrap())
        .stderr(File::create(authority.path("stderr")).unwrap())
        .spawn()
        .unwrap()
}

/// Waits until the file contains the words.
async fn written(authority: &Authority, file: &str, words: &str) -> String {
    within(words, async {
        loop {
            let text = fs::read_to_string(authority.path(file)).unwrap();
            if text.contains(words) {
                return text;
            }
            // Waits for the gateway, not for a time.
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    })
    .await
}

/// The first address of this machine after these words.
fn address_after(text: &str, words: &str) -> SocketAddr {
    let (_, rest) = text.split_once(words).unwrap();
    let (_, rest) = rest.split_once("127.0.0.1:").unwrap();
    let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
    SocketAddr::from(([127, 0, 0, 1], port.parse().unwrap()))
}

#[tokio::test]
async fn no_output_contains_a_secret() {
    let mut observed_config = config();
    observed_config.auth = AuthMode::Token(Secret::new(OBSERVED).unwrap());
    let observed = start(observed_config);
    let urls = ["home", "away", "file"].map(|name| format!("{name}={}", observed.url()));
    for auth in ["token", "password"] {
        let mut outputs = Outputs::default();
        let authority = Authority::new();
        authority.issue(&["localhost", "127.0.0.1", "0.0.0.0"], |_| {});
        let named =
            format!("[reader]\ntoken = \"{NAMED}\"\nscopes = [\"operator.read\", \"operator.write\"]\n");
        authority.write("tokens.toml", &named);
        authority.write("observed.token", OBSERVED);
        authority.write("webhook.secret", WEBHOOK);
        let seed = KeyPair::new_user().seed().unwrap();
        let creds = "-----BEGIN NATS USER JWT-----\nx\n------END NATS USER JWT------\n\n\
                     -----BEGIN USER NKEY SEED-----\nSEED\n------END USER NKEY SEED------\n";
        authority.write("nats.creds", &creds.replace("SEED", &seed));
        for secret in [
            MAIN,
            NAMED,
            WRONG,
            OBSERVED,
            WEBHOOK,
            NATS,
            PATH,
            &seed,
            "s3cret-0123",
        ] {
            outputs.keep_out(secret);
        }
        let key = fs::read_to_string(authority.path("key.pem")).unwrap();
        key.lines()
            .filter(|line| !line.contains("--"))
            .for_each(|line| outputs.keep_out(line));

        let mut gateway = serve_all(&authority, auth, &urls.each_ref().map(|url| &**url));
        let banner = written(&authority, "stdout", "clients ").await;
        let log = written(&authority, "stderr", "metrics are answered").await;
        let address = address_after(&banner, "open ");
        let metrics = address_after(&log, "metrics are answered");
        let open_metrics = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        for secret in [MAIN, NAMED, WRONG] {
            use_everywhere(&mut outputs, &authority, address, secret).await;
        }
        run_commands(&mut outputs, &authority, address.port(), NAMED).await;
        run_commands(&mut outputs, &authority, address.port(), WRONG).await;
        outputs.add(
            "metrics",
            raw_http(metrics, open_metrics).await,
            "presence_connections",
        );
        let device_key = authority.path(".config/openclaw-presence/device-key");
        outputs.keep_out(fs::read_to_string(device_key).unwrap().trim());

        authority.write("tokens.toml", &format!("{named}bogus = \"{WRONG}\"\n"));
        authority.write("key.pem", &key.replace("KEY", WRONG));
        signal(&gateway, Signal::HUP);
        written(&authority, "stderr", "the old tokens stay").await;
        signal(&gateway, Signal::USR1);
        written(&authority, "stderr", "the webhook takes no events").await;
        written(&authority, "stderr", "cannot observe").await;
        signal(&gateway, Signal::TERM);
        assert_eq!(within("the end", gateway.wait()).await.unwrap().code(), Some(0));

        for (file, word) in [
            ("stdout", "clients "),
            ("stderr", "AUTH_TOKEN_MISMATCH"),
            ("history.db", "studio-9"),
            ("recording", r#"{"join":"#),
        ] {
            outputs.add(file, fs::read(authority.path(file)).unwrap(), word);
        }
        let path = |name: &str| authority.path(name).to_str().unwrap().to_owned();
        outputs
            .run(program(&["history", &path("history.db"), "--json"]), "studio-9")
            .await;
        outputs
            .run(program(&["replay", &path("recording"), "--json"]), "rows")
            .await;
        authority.write("key.pem", &key);
        refuse_settings(&mut outputs, &authority).await;
        values::show(&mut outputs, &authority);
        outputs.check();
    }
    observed.shutdown().await;
}
