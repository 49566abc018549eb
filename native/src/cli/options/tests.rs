mod observe;
mod values;

use ipnet::IpNet;

use super::duration::{duration_ms, long_duration_ms};
use super::*;

fn try_flags(arguments: &[&str]) -> Result<ServeOptions, OptionsError> {
    let words = [&["presence-gateway", "serve"], arguments].concat();
    match Cli::of(words)?.command {
        Command::Serve(options) => Ok(*options),
        _ => panic!("no serve"),
    }
}

fn flags(arguments: &[&str]) -> ServeOptions {
    try_flags(arguments).unwrap()
}

/// These flags beside a file of this text.
fn try_file(text: &str, arguments: &[&str]) -> Result<ServeOptions, OptionsError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    try_flags(&[&["--config", file.path().to_str().unwrap()], arguments].concat())
}

fn file(text: &str) -> ServeOptions {
    try_file(text, &[]).unwrap()
}

#[test]
fn the_command_line_is_consistent() {
    sources::command().debug_assert();
}

/// A panic shows the `Debug` output of a value.
#[test]
fn debug_output_of_options_shows_no_secret() {
    let serve = &[
        "serve",
        "--token=s3cret",
        "--password=s3cret",
        "--observe-token=home=s3cret",
        "--observe-password=home=s3cret",
        #[cfg(feature = "cluster")]
        "--cluster=nats://user:s3cret@127.0.0.1",
        #[cfg(feature = "webhook")]
        "--webhook=https://127.0.0.1/s3cret",
    ][..];
    let list = &[
        "list",
        "--url=ws://user:s3cret@127.0.0.1",
        "--token=s3cret",
        "--password=s3cret",
    ];
    let install = &["install-service", "--", "--token=s3cret"];
    for arguments in [serve, list, install] {
        let cli = Cli::of([&["presence-gateway"], arguments].concat()).unwrap();
        let shown = format!("{cli:?}");
        assert!(shown.contains("Options") && !shown.contains("s3cret"), "{shown}");
    }
}

#[test]
fn every_option_is_named_alike_everywhere() {
    let command = sources::command();
    let serve = command.find_subcommand("serve").unwrap();
    let mut file_names = String::new();
    for argument in serve
        .get_arguments()
        .filter(|argument| argument.get_long().is_some())
    {
        let name = argument.get_long().unwrap();
        if name == "help" || argument.is_hide_set() {
            continue;
        }
        let variable = format!("OPENCLAW_GATEWAY_{}", name.replace('-', "_").to_uppercase());
        assert_eq!(
            argument.get_env().and_then(|env| env.to_str()),
            Some(variable.as_str()),
            "--{name}"
        );
        let takes_list = argument.get_value_delimiter().is_some();
        let value = match name {
            "config" => continue,
            _ if takes_list => "[]",
            "bind" => "\"lan\"",
            "auth" => "\"none\"",
            "token"
            | "password"
            | "history"
            | "record"
            | "tokens"
            | "web-root"
            | "user-header"
            | "tls-cert"
            | "tls-key"
            | "observe-tls-ca"
            | "cluster-name"
            | "cluster-creds"
            | "cluster-tls-ca"
            | "webhook"
            | "webhook-secret-file"
            | "webhook-tls-ca" => "\"x\"",
            "history-bytes" => "5000000",
            "log-level" => "\"debug\"",
            "log-format" => "\"json\"",
            "metrics" => "true",
            "metrics-bind" => "\"127.0.0.1:9464\"",
            _ => "5000",
        };
        file_names.push_str(&format!("{name} = {value}\n"));
    }
    // Unknown names are refused, so this proves that the file knows them all.
    let from_file = file(&file_names);
    assert_eq!(from_file.max_unauthenticated_per_address, Some(5_000));
    assert_eq!(from_file.ttl, Some(5_000_000));
}

#[test]
fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
    let merged = try_file("max-entries = 8\nport = 9", &["--max-entries", "7"]).unwrap();
    let config = merged.resolve().unwrap().config;
    assert_eq!((config.max_entries, config.port), (7, 9));
    assert_eq!(config.ttl_ms, 300_000);
}

#[test]
fn a_wrong_number_of_the_file_has_its_line_and_its_name() {
    for (text, wanted) in [
        ("max-entries = 1", "line 2: max-entries: 1 is less than 2"),
        ("stall-ms = 1", "line 2: stall-ms: 1 is less than 100"),
        (
            "record-age = \"1ms\"",
            "line 2: record-age: there is no file: add --record FILE",
        ),
        ("port = 70000", "line 2: port: 70000 is not in"),
        (
            "port = 99999999999999999999",
            "line 2: port: the number is too large",
        ),
        ("port = 01", "line 2: port: "),
        ("ttl = 1.5", "line 2: ttl: invalid duration `1.5`"),
        ("window-ms = -1", "line 2: window-ms: invalid number `-1`: "),
        ("max-entries = 2.5", "line 2: max-entries: invalid number `2.5`: "),
    ] {
        let text = format!("# settings\n{text}\n");
        let error = try_file(&text, &[]).and_then(|options| options.resolve().map(drop));
        let error = error.unwrap_err().to_string();
        assert!(error.contains(wanted), "{text}: {error}");
    }
    // A flag is named as such, also beside a file.
    let merged = try_file("max-entries = 8", &["--max-entries", "1"]).unwrap();
    assert_eq!(
        merged.resolve().unwrap_err().to_string(),
        "--max-entries: 1 is less than 2"
    );
}

#[test]
fn lists_are_replaced_not_added_to() {
    let flags_of_two = ["--ephemeral-mode", "backend", "--ephemeral-mode", "probe,cli"];
    let merged = try_file("ephemeral-mode = [\"test\"]", &flags_of_two).unwrap();
    let modes = merged.resolve().unwrap().config.ephemeral_modes;
    assert_eq!(modes, ["backend", "probe", "cli"].map(Box::from));
    assert_eq!(
        flags(&["--ephemeral-mode", ""])
            .resolve()
            .unwrap()
            .config
            .ephemeral_modes,
        [].map(|(): ()| "".into())
    );
}

#[test]
fn the_mode_follows_from_the_secrets() {
    let mode = |arguments: &[&str]| {
        flags(arguments)
            .resolve()
            .map(|resolved| (resolved.config.auth.as_str(), resolved.needs_token))
            .map_err(|error| error.to_string())
    };
    assert_eq!(mode(&["--token", "s"]), Ok(("token", false)));
    assert_eq!(mode(&["--password", "s"]), Ok(("password", false)));
    assert_eq!(
        mode(&["--password", "s", "--token", "t"]),
        Ok(("password", false))
    );
    assert_eq!(
        mode(&["--auth", "token", "--password", "s", "--token", "t"]),
        Ok(("token", false))
    );
    assert_eq!(mode(&["--auth", "none", "--token", "s"]), Ok(("none", false)));
    assert_eq!(mode(&[]), Ok(("none", true)));
    assert!(
        mode(&["--auth", "password"])
            .unwrap_err()
            .contains("OPENCLAW_GATEWAY_PASSWORD")
    );
    for word in ["", "undefined", "null"] {
        assert!(mode(&["--token", word]).is_err(), "{word:?}");
    }
}

#[test]
fn lengths_of_time() {
    for (text, ms) in [
        ("300", 300_000),
        ("300s", 300_000),
        ("5m", 300_000),
        ("1h", 3_600_000),
        ("250ms", 250),
    ] {
        assert_eq!(duration_ms(text), Ok(ms), "{text}");
    }
    for text in ["", "s", "5 parsecs", "-1", "1.5s", "+7h", "7d"] {
        assert!(duration_ms(text).is_err(), "{text}");
    }
    for (text, days) in [("7d", 7), ("7 d", 7), (" 7d ", 7), ("48h", 2)] {
        assert_eq!(long_duration_ms(text), Ok(days * 86_400_000), "{text}");
    }
    for text in ["d", "+7d", "-7d", "1.5d", "7dd", "+7h"] {
        assert!(long_duration_ms(text).is_err(), "{text}");
    }
    assert_eq!(file("ttl = \"90s\"").ttl, Some(90_000));
}

#[test]
fn wrong_values_are_named() {
    let error = |arguments: &[&str]| flags(arguments).resolve().unwrap_err().to_string();
    assert_eq!(error(&["--max-entries", "1"]), "--max-entries: 1 is less than 2");
    assert!(error(&["--trusted-proxy", "10.0.0.0/99"]).contains("10.0.0.0/99"));
    assert_eq!(
        error(&["--trusted-proxy", "10.0.0.0/0"]),
        "--trusted-proxy: `10.0.0.0/0` contains every address; name the addresses of the proxies only"
    );
    assert_eq!(
        error(&["--hsts", "60"]),
        "--hsts: browsers accept it over HTTPS only: add --tls-cert and --tls-key"
    );
    assert!(error(&["--allowed-origin", "dash"]).contains("`dash`"));
    assert!(error(&["--web-root", "/no/such/folder"]).starts_with("--web-root: cannot read /no/such/folder"));
}

#[test]
fn removed_options_are_refused_by_name() {
    let removed = [
        "auth-failures",
        "auth-window-ms",
        "auth-lockout-ms",
        "auth-delay-ms",
    ];
    for name in removed {
        let by_flag = try_flags(&[&format!("--{name}"), "0"]);
        let by_file = ["5", "0.5", "true"].map(|value| try_file(&format!("{name} = {value}"), &[]));
        for refused in by_file.into_iter().chain([by_flag]) {
            let error = refused.unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("--{name} exists no more: ")),
                "{error}"
            );
        }
    }
    let command = sources::command();
    let serve = command.find_subcommand("serve").unwrap();
    let hidden = serve.get_arguments().filter(|argument| argument.is_hide_set());
    let variables: Vec<_> = hidden
        .filter_map(|argument| argument.get_env()?.to_str())
        .collect();
    let wanted = removed.map(|name| format!("OPENCLAW_GATEWAY_{}", name.replace('-', "_").to_uppercase()));
    assert_eq!(variables, wanted);
}

#[test]
fn an_unused_secret_is_named() {
    let unused = |arguments: &[&str]| flags(arguments).resolve().unwrap().unused_secret;
    assert_eq!(unused(&["--token", "t"]), None);
    assert_eq!(unused(&["--token", "t", "--password", "p"]), Some("token"));
    assert_eq!(
        unused(&["--auth", "token", "--token", "t", "--password", "p"]),
        Some("password")
    );
    assert_eq!(unused(&["--auth", "none", "--password", "p"]), Some("password"));
}

#[test]
fn a_wrong_duration_in_the_file_is_explained() {
    for value in ["1.5", "-1", "[]", "\"soon\""] {
        let error = try_file(&format!("ttl = {value}\n"), &[])
            .unwrap_err()
            .to_string();
        assert!(error.contains("line 1") && error.contains("300000ms"), "{error}");
    }
}

#[test]
fn a_broken_file_is_named_without_its_contents() {
    let error = try_file("port = 1\ntoken = s3cret\n", &[])
        .unwrap_err()
        .to_string();
    assert!(error.contains("line 2"), "{error}");
    assert!(!error.contains("s3cret"), "{error}");
    for text in [
        "max-entrys = 1\n",
        "token = [\"a\"]\n",
        "token = true\n",
        "token = 31\n",
        "token = nan\n",
        "password = 2024-05-01\n",
        "port = 0.0\n",
        "ephemeral-mode = [true]\n",
        "web-root = 1\n",
        "config = \"x\"\n",
    ] {
        let error = try_file(text, &[]).unwrap_err().to_string();
        assert!(error.contains("line 1") && error.contains(&text[..4]), "{error}");
    }
    for (text, words) in [
        (
            "max-entris = 5\n",
            "line 1: unknown setting `max-entris`: did you mean `max-entries`?",
        ),
        ("max_entries = 5\n", "did you mean `max-entries`?"),
        ("[serve]\nport = 1\n", "there are no tables"),
        ("frobnicate = 5\n", "unknown setting `frobnicate`"),
    ] {
        let error = try_file(text, &[]).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    let error = try_file("log-level = \"loud\"\n", &[]).unwrap_err().to_string();
    assert!(
        error.contains("line 1") && error.contains("use one of off, error"),
        "{error}"
    );
}

#[test]
fn a_user_header_needs_a_trusted_proxy() {
    let config = flags(&["--user-header", "X-Forwarded-User", "--trusted-proxy", "10.0.0.1"])
        .resolve()
        .unwrap()
        .config;
    assert_eq!(config.user_header, "x-forwarded-user".parse().ok());
    let alone = flags(&["--user-header", "X-Forwarded-User"]).resolve();
    assert_eq!(
        alone.unwrap_err().to_string(),
        "--user-header: it is read from trusted proxies only: add --trusted-proxy"
    );
}

#[test]
fn networks_may_be_single_addresses() {
    let config = flags(&["--trusted-proxy", "10.0.0.1,fd00::/8,[fd00::1], "])
        .resolve()
        .unwrap()
        .config;
    assert_eq!(
        config.trusted_proxies,
        ["10.0.0.1/32", "fd00::/8", "fd00::1/128"].map(|text| text.parse::<IpNet>().unwrap())
    );
}
