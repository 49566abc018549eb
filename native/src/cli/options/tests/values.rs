//! Accepted values of each option.

use super::*;
use crate::config::GatewayConfig;

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
        ("tokens", &[], &["", "/no/such/file", "/dev/zero"]),
        // Each needs the others: see `native/tests/cli/tls.rs`.
        ("tls-cert", &[], &["", "/no/such/file"]),
        ("tls-key", &[], &["", "/no/such/file"]),
        ("hsts", &[], &["", "-1", "1y", "60"]),
        ("metrics", &["true", "false", "1", "off"], &["", "maybe", "2"]),
        (
            "metrics-bind",
            &["127.0.0.1:0", "[::1]:9464", "0.0.0.0:1"],
            &["", "9464", "127.0.0.1", "localhost:9464", "127.0.0.1:65536"],
        ),
        ("history", &["a"], &[""]),
        // They need a file: see below.
        ("history-age", &[], &["", "59s", "1w", "d", "1h"]),
        ("history-bytes", &[], &["0", "1048575", "1048576"]),
        // It needs a secret, and the others need it: see `native/tests/cli/webhook.rs`.
        ("webhook", &[], &["", "hook.example", "http://127.0.0.1/"]),
        ("webhook-secret-file", &[], &["", "/no/such/file"]),
        ("webhook-grace", &[], &["", "1.5s", "25h", "30s"]),
        ("webhook-tls-ca", &[], &["", "/no/such/file"]),
        ("record", &["a"], &[""]),
        ("record-bytes", &[], &["0", "4095", "4096"]),
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

/// The bounds are those of the library, whatever the option is called.
#[test]
fn a_number_that_the_library_refuses_has_the_name_of_its_option() {
    for (of, option, value, why) in [
        ("--port=0", "ttl", "999ms", "999ms is less than 1s"),
        ("--record=a", "record-bytes", "4095", "4095 is less than 4096"),
        (
            "--record=a",
            "record-bytes",
            "260046849",
            "260046849 is more than 260046848",
        ),
        ("--record=a", "record-age", "0s", "0s is less than 1s"),
        #[cfg(unix)]
        ("--record=a", "record-last", "999ms", "999ms is less than 1s"),
        #[cfg(feature = "history")]
        ("--history=a", "history-age", "59s", "59s is less than 1m"),
        #[cfg(feature = "history")]
        (
            "--history=a",
            "history-bytes",
            "1048575",
            "1048575 is less than 1048576",
        ),
    ] {
        let error = flags(&[of, &format!("--{option}={value}")])
            .resolve()
            .unwrap_err();
        assert_eq!(error.to_string(), format!("--{option}: {why}"));
    }
    let error = refused(
        GatewayConfig {
            hsts_s: Some(1 << 31),
            ..GatewayConfig::default()
        }
        .validate()
        .unwrap_err(),
    );
    assert_eq!(error.to_string(), "--hsts: 2147483648 is more than 2147483647");
}

/// Each number is refused with the option's name, or gives a valid configuration.
#[test]
fn extreme_numbers_are_refused_by_name_or_accepted() {
    let extremes = [0, 1, 1 << 31, (1 << 53) - 1, 1 << 53, u64::MAX - 1, u64::MAX];
    let command = sources::command();
    let serve = command.find_subcommand("serve").unwrap();
    let numeric = ["-ms", "-bytes", "max-"];
    let mut seen = 0;
    for argument in serve.get_arguments().filter(|argument| !argument.is_hide_set()) {
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
