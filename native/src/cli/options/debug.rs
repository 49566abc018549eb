//! The `Debug` output of options, which a panic may show: those that may hold a secret show their name only.

use std::fmt;

#[cfg(feature = "cluster")]
use super::cluster::ClusterOptions;
use super::observe::ObserveOptions;
#[cfg(feature = "webhook")]
use super::webhook::WebhookOptions;
use super::{ClientOptions, InstallOptions, ServeOptions};

macro_rules! show_name_only {
    ($($(#[$condition:meta])* $options:ident),* $(,)?) => {
        $($(#[$condition])*
        impl fmt::Debug for $options {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($options)).finish_non_exhaustive()
            }
        })*
    };
}

show_name_only!(
    ClientOptions,
    InstallOptions,
    ObserveOptions,
    ServeOptions,
    #[cfg(feature = "cluster")]
    ClusterOptions,
    #[cfg(feature = "webhook")]
    WebhookOptions,
);
