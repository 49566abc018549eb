//! The text of the unit.

use std::path::Path;

use super::check::Service;

/// The unit of a machine's service, and that of a user's.
const SYSTEM: &str = include_str!("../../../ops/presence-gateway.service");
const USER: &str = include_str!("../../../ops/presence-gateway.user.service");

/// The first line of a unit that this command wrote.
const OURS: &str = "# Written by `presence-gateway install-service`, which replaces it when it runs again.\n";

/// Returns the unit of the service, with these paths.
pub(super) fn text(is_system: bool, program: &Path, settings: &Path, service: &Service<'_>) -> String {
    let template = if is_system { SYSTEM } else { USER };
    let program = program.to_string_lossy();
    let words = [&*program, "serve"]
        .into_iter()
        .chain(service.options.iter().map(String::as_str));
    let start: Vec<String> = words.map(quoted).collect();
    let lines = template
        .lines()
        // The text before the first section explains how to install it by hand.
        .skip_while(|line| !line.starts_with('['))
        .map(|line| match line.split_once('=') {
            Some(("ExecStart", _)) => format!("ExecStart={}\n", start.join(" ")),
            Some(("EnvironmentFile", _)) => {
                // Not a list of words: blanks need no quotes here.
                format!("EnvironmentFile={}\n", escaped(&settings.to_string_lossy()))
            }
            // SIGHUP stops a gateway that has nothing to reload.
            Some(("#ExecReload", command)) if service.is_reloadable => format!("ExecReload={command}\n"),
            _ => format!("{line}\n"),
        });
    OURS.chars().chain(lines.collect::<String>().chars()).collect()
}

/// Whether this command wrote the unit.
pub(super) fn is_ours(text: &str) -> bool {
    text.starts_with(OURS)
}

/// A word of a command line in a unit.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@+[]".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    let word = word.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "$$");
    format!("\"{}\"", escaped(&word))
}

/// Escapes percent signs, which are specifiers, and line ends.
fn escaped(text: &str) -> String {
    text.replace('%', "%%").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_as_systemd_reads_them() {
        for (word, wanted) in [
            ("--bind", "--bind"),
            ("[::1]", "[::1]"),
            ("", "\"\""),
            ("two words", "\"two words\""),
            ("50%", "\"50%%\""),
            ("$HOME", "\"$$HOME\""),
            ("a\"b\\c", "\"a\\\"b\\\\c\""),
            (";", "\";\""),
        ] {
            assert_eq!(quoted(word), wanted);
        }
    }

    #[test]
    fn the_unit_names_the_program_its_options_and_its_settings() {
        for (is_system, is_reloadable) in [(false, false), (true, true)] {
            let options = ["--hsts".to_owned(), "a b".to_owned()];
            let service = Service {
                options: &options,
                is_reloadable,
            };
            let text = text(
                is_system,
                Path::new("/opt/my bin/pg"),
                Path::new("/etc/100%.env"),
                &service,
            );
            assert!(is_ours(&text) && !is_ours(SYSTEM) && !is_ours(USER));
            assert!(
                text.contains("\nExecStart=\"/opt/my bin/pg\" serve --hsts \"a b\"\n"),
                "{text}"
            );
            assert!(text.contains("\nEnvironmentFile=/etc/100%%.env\n"), "{text}");
            assert_eq!(text.matches("ExecStart=").count(), 1);
            assert!(text.contains("\n[Install]\n"), "{text}");
            let reload = "\nExecReload=/bin/kill -HUP $MAINPID\n";
            assert_eq!(text.contains(reload), is_reloadable, "{text}");
        }
    }
}
