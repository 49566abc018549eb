//! The steps of `cargo xtask supply`: checks of the dependencies and of release builds.

mod audit;
mod crates;
mod release;
mod sbom;
mod systems;
mod twice;

use super::Step;

/// All steps, cheap ones first.
pub(crate) const ALL: &[Step] = &[
    crates::DENY,
    crates::ADVISORIES,
    audit::NPM,
    crates::SEMVER,
    twice::GATEWAY,
    twice::PACKAGE,
    sbom::SBOM,
    systems::SYSTEMS,
];
