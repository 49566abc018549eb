//! The paths that the options of `serve` name.

use std::path::Path;

use super::ServeOptions;

impl ServeOptions {
    /// The files and folders that the options name, each with its option.
    pub(crate) fn paths(&self) -> Vec<(&'static str, &Path)> {
        let options = [
            ("config", &self.config),
            ("tokens", &self.tokens),
            ("tls-cert", &self.tls_cert),
            ("tls-key", &self.tls_key),
            ("web-root", &self.web_root),
            ("record", &self.record),
            ("observe-tls-ca", &self.others.observe_tls_ca),
            #[cfg(feature = "cluster")]
            ("cluster-creds", &self.fleet.cluster_creds),
            #[cfg(feature = "cluster")]
            ("cluster-tls-ca", &self.fleet.cluster_tls_ca),
            #[cfg(feature = "history")]
            ("history", &self.past.history),
            #[cfg(feature = "webhook")]
            ("webhook-secret-file", &self.hook.webhook_secret_file),
            #[cfg(feature = "webhook")]
            ("webhook-tls-ca", &self.hook.webhook_tls_ca),
        ];
        let named = options
            .into_iter()
            .filter_map(|(name, path)| Some((name, path.as_deref()?)));
        let files = self.others.token_files().map(|file| ("observe-token-file", file));
        named.chain(files).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::any::TypeId;
    use std::path::PathBuf;

    use super::super::{Cli, Command, sources};
    use super::*;

    #[test]
    fn every_path_of_an_option_is_there() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let command = sources::command();
        let mut seen = 0;
        for option in command.find_subcommand("serve").unwrap().get_arguments() {
            let is_path = option.get_value_parser().type_id() == TypeId::of::<PathBuf>();
            let names_file = option
                .get_value_names()
                .is_some_and(|names| names[0] == "NAME=FILE");
            let Some(name) = option.get_long().filter(|_| is_path || names_file) else {
                continue;
            };
            seen += 1;
            // This one is read at once.
            let path = if name == "config" {
                file.path()
            } else {
                Path::new("some/path")
            };
            let prefix = if names_file { "home=" } else { "" };
            let word = format!("--{name}={prefix}{}", path.display());
            let cli = Cli::without_environment(["presence-gateway", "serve", &word]).unwrap();
            let Command::Serve(options) = cli.command else {
                panic!("no serve");
            };
            assert_eq!(options.paths(), [(name, path)]);
        }
        assert!(seen >= 8, "{seen}");
    }
}
