use clap::CommandFactory;

use ipnet::IpNet;

use super::duration::duration_ms;
use super::*;

fn try_flags(arguments: &[&str]) -> Result<ServeOptions, OptionsError> {
    let words = [&["presence-gateway", "serve"], arguments].concat();
    match Cli::of(words)?.command {
        Some(Command::Serve(options)) => Ok(*options),
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
    Cli::command().debug_assert();
}

#[test]
fn every_option_is_named_alike_everywhere() {
    let command = Cli::command();
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
        let takes_list = matches!(name, "ephemeral-mode" | "allowed-origin" | "trusted-proxy");
        let value = match name {
            "config" => continue,
            _ if takes_list => "[]",
            "bind" => "\"lan\"",
            "auth" => "\"none\"",
            "token" | "password" | "web-root" | "user-header" => "\"x\"",
            "log-level" => "\"debug\"",
            "log-format" => "\"json\"",
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
    for text in ["", "s", "5 parsecs", "-1", "1.5s"] {
        assert!(duration_ms(text).is_err(), "{text}");
    }
    assert_eq!(file("ttl = \"90s\"").ttl, Some(90_000));
}

#[test]
fn wrong_values_are_named() {
    let error = |arguments: &[&str]| flags(arguments).resolve().unwrap_err().to_string();
    assert_eq!(error(&["--max-entries", "1"]), "--max-entries: 1 is less than 2");
    assert!(error(&["--trusted-proxy", "10.0.0.0/99"]).contains("10.0.0.0/99"));
    assert!(error(&["--allowed-origin", "dash"]).contains("`dash`"));
    assert!(error(&["--web-root", "/no/such/folder"]).starts_with("--web-root: cannot read /no/such/folder"));
}

#[test]
fn options_that_exist_no_more_are_refused_by_name() {
    let removed = [
        "auth-failures",
        "auth-window-ms",
        "auth-lockout-ms",
        "auth-delay-ms",
    ];
    for name in removed {
        let by_flag = flags(&[&format!("--{name}"), "0"]).resolve();
        let by_file = file(&format!("{name} = 5")).resolve();
        for refused in [by_flag, by_file] {
            let error = refused.unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("--{name} exists no more: ")),
                "{error}"
            );
        }
    }
    let command = Cli::command();
    let serve = command.find_subcommand("serve").unwrap();
    let hidden = serve.get_arguments().filter(|argument| argument.is_hide_set());
    let variables: Vec<_> = hidden
        .filter_map(|argument| argument.get_env()?.to_str())
        .collect();
    let wanted = removed.map(|name| format!("OPENCLAW_GATEWAY_{}", name.replace('-', "_").to_uppercase()));
    assert_eq!(variables, wanted);
}

#[test]
fn every_value_works_as_written_or_is_refused_by_name() {
    for (name, good, bad) in [
        (
            "bind",
            &["loopback", "lan", "[::1]", "::", "0.0.0.0\n"][..],
            &["", "localhost:1", "[::1"][..],
        ),
        ("port", &["0", "65535"], &["", "-1", "65536", "80\n"]),
        ("auth", &["none"], &["", "None", "tok"]),
        (
            "token",
            &["s3cret", "s3cret\n", " s3cret "],
            &["", " ", "undefined", "a\nb", "a\tb", "a\u{7f}b"],
        ),
        ("password", &["s3cret\r\n"], &["", "null", "a\rb"]),
        (
            "ttl",
            &["1", "1s", "5 m", "300000ms"],
            &["", "0", "-1s", "999ms", "1.5s", "s", "5 parsecs"],
        ),
        ("max-entries", &["2"], &["", "0", "1", "-1", "1.5"]),
        ("window-ms", &["0", "50"], &["", "-1"]),
        ("ephemeral-mode", &["", "cli,", "CLI, backend,cli"], &[]),
        (
            "allowed-origin",
            &[
                "",
                "*",
                "https://a.example.org,https://b.example.org/",
                "http://[::1]:1",
            ],
            &[
                "https://a.example.org/x",
                "null",
                "a.example.org",
                "https://*.example.org",
                "ws://a",
            ],
        ),
        (
            "trusted-proxy",
            &[
                "",
                "10.0.0.1",
                "10.0.0.1/8",
                "[::1]",
                "fd00::/8,10.0.0.0/8",
                "::ffff:10.0.0.1",
                "::ffff:10.0.0.0/104",
                "0.0.0.0/1",
                "2000::/3",
            ],
            &[
                "10.0.0.0/33",
                "10.0.0",
                "proxy.example.org",
                "10.0.0.1:80",
                "fe80::1%eth0",
                "0.0.0.0/0",
                "10.0.0.0/0",
                "::/0",
                "::ffff:0:0/96",
                "::ffff:0:0/90",
                "::/1",
            ],
        ),
        // It needs a trusted proxy: see below.
        ("user-header", &[], &["", "x user", "Cookie", "X-User"]),
        ("web-root", &[], &["", "/no/such/folder", "/dev/null"]),
        ("log-level", &["off", "trace"], &["", "INFO", "verbose"]),
        ("log-format", &["json"], &["", "xml"]),
        ("max-connections", &["1"], &["0", "-1"]),
        ("max-unauthenticated", &["1"], &["0"]),
        ("max-unauthenticated-per-address", &["1"], &["0"]),
        ("preauth-frame-bytes", &["512"], &["0", "511"]),
        ("payload-bytes", &["512"], &["0", "511"]),
        ("buffered-bytes", &["512"], &["0", "511"]),
        ("handshake-ms", &["100"], &["0", "99"]),
        ("tick-interval-ms", &["100"], &["0", "99"]),
        ("ping-interval-ms", &["100"], &["0", "99"]),
        ("stall-ms", &["100"], &["0", "99"]),
        ("drain-ms", &["0"], &["-1"]),
    ] {
        let outcome = |value: &str| {
            let options = try_flags(&[&format!("--{name}={value}")]);
            options
                .and_then(|options| options.resolve())
                .map(drop)
                .map_err(|error| error.to_string())
        };
        for value in good {
            assert_eq!(outcome(value), Ok(()), "--{name}={value:?}");
        }
        for value in bad {
            let error = outcome(value).expect_err(&format!("--{name}={value:?} is accepted"));
            assert!(
                error.contains(&format!("--{name}")),
                "--{name}={value:?}: {error}"
            );
        }
    }
}

#[test]
fn a_secret_that_is_not_asked_for_is_named() {
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
fn networks_are_compared_as_the_addresses_of_clients_are() {
    let networks = flags(&[
        "--trusted-proxy",
        "10.1.2.3/8,::ffff:192.0.2.1,::ffff:10.0.0.0/104,[fd00::1], ",
    ])
    .resolve()
    .unwrap()
    .config
    .trusted_proxies;
    let wanted = ["10.0.0.0/8", "192.0.2.1/32", "10.0.0.0/8", "fd00::1/128"];
    assert_eq!(networks, wanted.map(|text| text.parse::<IpNet>().unwrap()));
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
    let config = flags(&["--trusted-proxy", "10.0.0.1,fd00::/8"])
        .resolve()
        .unwrap()
        .config;
    assert_eq!(
        config.trusted_proxies,
        ["10.0.0.1/32", "fd00::/8"].map(|text| text.parse::<IpNet>().unwrap())
    );
}

/// Each number that an option takes is refused by the option's name, or makes a valid configuration.
#[test]
fn extreme_numbers_are_refused_by_name_or_accepted() {
    let extremes = [0, 1, 1 << 31, (1 << 53) - 1, 1 << 53, u64::MAX - 1, u64::MAX];
    let command = Cli::command();
    let serve = command.find_subcommand("serve").unwrap();
    let numeric = ["-ms", "-bytes", "-failures", "max-"];
    let mut seen = 0;
    for argument in serve.get_arguments() {
        let Some(name) = argument.get_long() else { continue };
        if !numeric.iter().any(|part| name.contains(part)) && !["ttl", "port"].contains(&name) {
            continue;
        }
        seen += 1;
        for value in extremes {
            let options = try_flags(&[&format!("--{name}"), &value.to_string()]);
            let outcome = options
                .and_then(|options| options.resolve())
                .map_err(|error| error.to_string());
            match outcome {
                Err(error) => assert!(error.contains(&format!("--{name}")), "{error}"),
                Ok(resolved) => assert_eq!(resolved.config.validate(), Ok(()), "{name}"),
            }
        }
    }
    assert!(seen >= 13, "{seen}");
    let error = flags(&["--tick-interval-ms", "18446744073709551615"])
        .resolve()
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "--tick-interval-ms: 18446744073709551615 is more than 2147483647"
    );
}
