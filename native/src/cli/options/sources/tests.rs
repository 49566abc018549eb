//! The environment belongs to a process, so each environment is a child: this test binary again, which
//! reads its cases from a file and writes one line for each.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command as Process;

use super::*;
use crate::auth::secret::{AuthMode, Secret};
use crate::cli::options::Target;

const CASES: &str = "PRESENCE_TEST_CASES";
const CHILD: &str = "cli::options::sources::tests::child";

/// Runs the cases in the child; does nothing in the parent.
#[test]
fn child() {
    let Some(cases) = std::env::var_os(CASES).map(PathBuf::from) else {
        return;
    };
    let lines: Vec<String> = std::fs::read_to_string(&cases)
        .unwrap()
        .lines()
        .map(|line| outcome(line.split('\t')))
        .collect();
    std::fs::write(cases.with_extension("out"), lines.join("\n")).unwrap();
}

/// The result of these arguments in this environment.
fn outcome<'a>(words: impl Iterator<Item = &'a str> + Clone) -> String {
    let cli = Cli::of(std::iter::once("presence-gateway").chain(words)).unwrap();
    match cli.command {
        Command::Serve(options) => shown_options(*options),
        Command::List(options) => {
            let target = Target::new(&options.client).unwrap();
            shown_target(
                target.port,
                target.token.as_ref().map(Secret::reveal),
                target.password.as_ref().map(Secret::reveal),
            )
        }
        _ => panic!("another command"),
    }
}

fn shown_options(options: ServeOptions) -> String {
    let auth = match options.auth_mode() {
        Ok((AuthMode::Token(token), _)) => format!("token {}", token.reveal()),
        Ok((AuthMode::Password(password), _)) => format!("password {}", password.reveal()),
        Ok((AuthMode::None, true)) => "made token".to_owned(),
        Ok((AuthMode::None, false)) => "none".to_owned(),
        Err(error) => error.to_string(),
    };
    let named = ServeOptions {
        config: None,
        lines: Lines::new(),
        auth: None,
        token: None,
        password: None,
        ..options
    };
    format!("{auth} {named:?}")
}

fn shown_target(port: u16, token: Option<&str>, password: Option<&str>) -> String {
    format!("{port} {token:?} {password:?}")
}

/// The results of the cases in that environment.
fn run(environment: &BTreeMap<String, String>, cases: &[Vec<String>]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cases");
    let lines: Vec<String> = cases.iter().map(|words| words.join("\t")).collect();
    std::fs::write(&path, lines.join("\n")).unwrap();
    let mut child = Process::new(std::env::current_exe().unwrap());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("OPENCLAW_") {
            child.env_remove(name);
        }
    }
    let output = child
        .args([CHILD, "--exact"])
        .env(CASES, &path)
        .envs(environment)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let outcomes = std::fs::read_to_string(path.with_extension("out")).unwrap();
    outcomes.lines().map(str::to_owned).collect()
}

fn variable(option: &str) -> String {
    format!("OPENCLAW_GATEWAY_{}", option.replace('-', "_").to_uppercase())
}

/// A value of that option, different for each source: a flag, the environment, the file.
fn value(option: &str, source: usize) -> String {
    let words = match option {
        "bind" => ["10.0.0.1", "10.0.0.2", "10.0.0.3"],
        "log-level" => ["error", "warn", "debug"],
        "metrics" => ["true", "false", "true"],
        "metrics-bind" => ["10.0.0.1:1", "10.0.0.2:2", "10.0.0.3:3"],
        // Only two words: the file and the flag agree.
        "log-format" => ["json", "text", "json"],
        "history"
        | "record"
        | "tokens"
        | "web-root"
        | "user-header"
        | "tls-cert"
        | "tls-key"
        | "observe-tls-ca"
        | "cluster"
        | "cluster-name"
        | "cluster-creds"
        | "cluster-tls-ca"
        | "webhook"
        | "webhook-secret-file"
        | "webhook-tls-ca" => ["a", "b", "c"],
        _ if option.starts_with("observe") => ["a=x", "b=x", "c=x"],
        "ephemeral-mode" => ["a", "b", "c"],
        "allowed-origin" => ["https://a.example", "https://b.example", "https://c.example"],
        "trusted-proxy" => ["10.0.0.1", "10.0.0.2", "10.0.0.3"],
        "history-bytes" => ["5000001", "5000002", "5000003"],
        _ => ["5001", "5002", "5003"],
    };
    words[source].to_owned()
}

fn file_value(option: &str) -> String {
    let value = value(option, FILE);
    match option {
        "ephemeral-mode" | "allowed-origin" | "trusted-proxy" => format!("[\"{value}\"]"),
        _ if value.ends_with("=x") => format!("[\"{value}\"]"),
        "metrics" => value,
        _ if value.starts_with('5') => value,
        _ => format!("\"{value}\""),
    }
}

const FLAG: usize = 0;
const ENVIRONMENT: usize = 1;
const FILE: usize = 2;

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_string_lossy().into_owned()
}

#[test]
fn the_first_source_decides_for_every_option_and_combination() {
    let command = command();
    let serve = command.find_subcommand("serve").unwrap();
    let options: Vec<&str> = serve
        .get_arguments()
        // Removed options are refused.
        .filter(|option| !option.is_hide_set())
        .filter_map(Arg::get_long)
        .filter(|name| !["help", "config", "auth", "token", "password"].contains(name))
        .collect();
    assert!(options.len() > 15, "{options:?}");
    let folder = tempfile::tempdir().unwrap();
    // Each option meets each of the eight subsets of sources once, beside others that meet another.
    for shift in 0..8 {
        let mut environment = BTreeMap::new();
        let (mut words, mut file, mut expected) =
            (vec!["serve".to_owned()], String::new(), vec!["serve".to_owned()]);
        for (index, &option) in options.iter().enumerate() {
            let subset = (index + shift) % 8;
            let is_in = |source: usize| subset & (1 << source) != 0;
            if is_in(FLAG) {
                words.push(format!("--{option}={}", value(option, FLAG)));
            }
            if is_in(ENVIRONMENT) {
                environment.insert(variable(option), value(option, ENVIRONMENT));
            }
            if is_in(FILE) {
                file.push_str(&format!("{option} = {}\n", file_value(option)));
            }
            if let Some(source) = [FLAG, ENVIRONMENT, FILE]
                .into_iter()
                .find(|&source| is_in(source))
            {
                expected.push(format!("--{option}={}", value(option, source)));
            }
        }
        environment.insert(variable("config"), write(folder.path(), "file.toml", &file));
        let expected = outcome(expected.iter().map(String::as_str));
        // Without a command, `serve` runs.
        let without_command = words[1..].to_vec();
        assert_eq!(
            run(&environment, &[words, without_command]),
            [expected.clone(), expected],
            "shift {shift}"
        );
    }
}

/// The authentication options of one source.
#[derive(Clone, Copy, Default)]
struct Named {
    auth: Option<&'static str>,
    token: Option<&'static str>,
    password: Option<&'static str>,
}

impl Named {
    fn all(source: usize) -> Vec<Self> {
        let token = ["flag-t", "env-t", "file-t"][source];
        let password = ["flag-p", "env-p", "file-p"][source];
        let mut all = Vec::new();
        for auth in [None, Some("token"), Some("password"), Some("none")] {
            for token in [None, Some(token)] {
                all.extend([None, Some(password)].map(|password| Self {
                    auth,
                    token,
                    password,
                }));
            }
        }
        all
    }

    fn pairs(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        [
            ("auth", self.auth),
            ("token", self.token),
            ("password", self.password),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }
}

/// The rule in other words than the code's.
fn auth_of(sources: [Named; 3]) -> String {
    let mode = sources
        .iter()
        .find(|named| named.pairs().next().is_some())
        .map_or("token", |named| match named.auth {
            Some(auth) => auth,
            None if named.password.is_some() => "password",
            None => "token",
        });
    let strongest = |secret: fn(&Named) -> Option<&'static str>| sources.iter().find_map(secret);
    match mode {
        "token" => strongest(|named| named.token)
            .map_or_else(|| "made token".to_owned(), |token| format!("token {token}")),
        "password" => strongest(|named| named.password).map_or_else(
            || "--auth password needs --password (or OPENCLAW_GATEWAY_PASSWORD)".to_owned(),
            |password| format!("password {password}"),
        ),
        mode => mode.to_owned(),
    }
}

#[test]
fn mode_token_and_password_are_one_setting() {
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<(Named, String)> = Named::all(FILE)
        .into_iter()
        .enumerate()
        .map(|(index, named)| {
            let lines: String = named
                .pairs()
                .map(|(name, value)| format!("{name} = \"{value}\"\n"))
                .collect();
            (named, write(folder.path(), &format!("{index}.toml"), &lines))
        })
        .collect();
    for environment in Named::all(ENVIRONMENT) {
        let variables = environment
            .pairs()
            .map(|(name, value)| (variable(name), value.to_owned()))
            .collect();
        let (mut cases, mut expected) = (Vec::new(), Vec::new());
        for flags in Named::all(FLAG) {
            for (file, path) in &files {
                for command in [Some("serve"), None] {
                    let mut words: Vec<String> = command.map(str::to_owned).into_iter().collect();
                    words.push(format!("--config={path}"));
                    words.extend(flags.pairs().map(|(name, value)| format!("--{name}={value}")));
                    cases.push(words);
                    expected.push(auth_of([flags, environment, *file]));
                }
            }
        }
        for (outcome, (words, expected)) in run(&variables, &cases).iter().zip(cases.iter().zip(expected)) {
            assert!(
                outcome.starts_with(&format!("{expected} ServeOptions")),
                "{words:?} {variables:?}: {outcome}"
            );
        }
    }
}

/// The address and secrets of one source.
#[derive(Clone, Copy)]
struct Way {
    url: Option<&'static str>,
    port: Option<u16>,
    token: Option<&'static str>,
    password: Option<&'static str>,
}

impl Way {
    fn all(source: usize) -> Vec<Self> {
        let urls = [
            ["ws://127.0.0.1:1", "ws://127.0.0.1:1/#token=flag-u"],
            ["ws://127.0.0.1:2", "ws://127.0.0.1:2/#token=env-u"],
        ][source];
        let mut all = Vec::new();
        for url in [None, Some(urls[0]), Some(urls[1])] {
            for port in [None, Some([3, 4][source])] {
                for token in [None, Some(["flag-t", "env-t"][source])] {
                    for password in [None, Some(["flag-p", "env-p"][source])] {
                        all.push(Self {
                            url,
                            port,
                            token,
                            password,
                        });
                    }
                }
            }
        }
        all
    }

    fn pairs(self) -> Vec<(&'static str, String)> {
        let port = self.port.map(|port| port.to_string());
        [
            ("url", self.url.map(str::to_owned)),
            ("port", port),
            ("token", self.token.map(str::to_owned)),
            ("password", self.password.map(str::to_owned)),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }
}

/// The rule in other words than the code's.
fn target_of(sources: [Way; 2]) -> String {
    let place = sources
        .iter()
        .position(|way| way.url.is_some() || way.port.is_some());
    let url = place.and_then(|source| Some((source, sources[source].url?)));
    let port = match (url, place) {
        (Some((_, url)), _) => url[15..16].parse().unwrap(),
        (None, Some(source)) => sources[source].port.unwrap(),
        (None, None) => crate::config::DEFAULT_PORT,
    };
    for (source, way) in sources.iter().enumerate() {
        let in_url = url
            .filter(|&(of, _)| of == source)
            .and_then(|(_, url)| url.split_once("#token="))
            .map(|(_, token)| token);
        let token = way.token.or(in_url);
        if token.is_some() || way.password.is_some() {
            return shown_target(port, token, way.password);
        }
    }
    shown_target(port, None, None)
}

#[test]
fn url_and_port_are_one_setting_and_the_secret_another() {
    for environment in Way::all(ENVIRONMENT) {
        let variables = environment
            .pairs()
            .into_iter()
            .map(|(name, value)| (variable(name), value))
            .collect();
        let (mut cases, mut expected) = (Vec::new(), Vec::new());
        for flags in Way::all(FLAG) {
            let mut words = vec!["list".to_owned()];
            words.extend(
                flags
                    .pairs()
                    .iter()
                    .map(|(name, value)| format!("--{name}={value}")),
            );
            cases.push(words);
            expected.push(target_of([flags, environment]));
        }
        for (outcome, (words, expected)) in run(&variables, &cases).iter().zip(cases.iter().zip(expected)) {
            assert_eq!(*outcome, expected, "{words:?} {variables:?}");
        }
    }
}
