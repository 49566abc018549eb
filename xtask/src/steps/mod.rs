//! The steps of `cargo xtask test` and `cargo xtask supply`.

mod cross;
mod node;
pub(crate) mod openclaw;
pub(crate) mod package;
pub(crate) mod plan;
mod release;
mod rust;
mod smoke;
pub(crate) mod supply;

use crate::failure::Failure;
use crate::project::Project;
use crate::tally::Tally;

/// One step: a set-up or a group of tests.
#[derive(Debug)]
pub(crate) struct Step {
    /// The name for `--only`.
    pub(crate) name: &'static str,
    /// What the step does.
    pub(crate) title: &'static str,
    /// Added to the title as long as the step has to download or build much.
    pub(crate) first_time: &'static str,
    /// Whether that is done.
    pub(crate) is_ready: fn(&Project) -> bool,
    /// Earlier steps that this one requires, with their own requirements.
    pub(crate) needs: &'static [&'static str],
    /// Runs only when named by `--only`.
    pub(crate) opt_in: bool,
    /// Runs the step and counts its tests.
    pub(crate) run: fn(&Project, &mut Tally) -> Result<(), Failure>,
}

/// All steps of `cargo xtask test`, cheap ones first.
pub(crate) const ALL: &[Step] = &[
    rust::FORMAT,
    rust::LINT,
    rust::COMPILE,
    rust::TESTS,
    rust::EMBEDDING,
    rust::DOCS,
    rust::CHECK_FEATURES,
    release::PACKAGES,
    release::OLDEST,
    node::PACKAGES,
    node::END_TO_END,
    package::TOOLS,
    package::BUILD,
    package::CHROMIUM,
    package::TESTS,
    package::FIREFOX_TESTS,
    package::DEMO,
    cross::PLATFORMS,
    package::DEMO_TESTS,
    package::CONSUMERS,
    openclaw::INSTALL,
    openclaw::TESTS,
];
