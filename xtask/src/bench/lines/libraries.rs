//! The lines about the core and the npm package.

use crate::bench::figures::Figures;
use crate::bench::targets::Target::{self, AtMost};
use crate::bench::targets::{Line, Whose};

/// The largest of the figures whose names begin with this.
fn slowest(figures: &Figures, beginning: &str) -> Option<f64> {
    figures
        .all()
        .filter_map(|(name, value, _)| name.starts_with(beginning).then_some(value))
        .reduce(f64::max)
}

macro_rules! library {
    ($whose:expr, $what:literal, $of:expr, $unit:literal, $target:expr) => {
        Line {
            what: $what,
            of: $of,
            whose: $whose,
            limit: None,
            unit: $unit,
            target: $target,
        }
    };
}

/// The lines about libraries.
pub(super) const LINES: &[Line] = &[
    library!(
        Whose::Core,
        "core: upsert of a row in a list of 200 rows",
        |f| Some(f.value("upsert.200")? / 1_000.0),
        "us",
        AtMost(0.5)
    ),
    library!(
        Whose::Core,
        "core: upsert of a row in a list of 1,000,000 rows",
        |f| Some(f.value("upsert.1000000")? / 1_000.0),
        "us",
        AtMost(1.5)
    ),
    library!(
        Whose::Core,
        "core: list of 200 rows, encoded after one row changed",
        |f| Some(f.value("list.200")? / 1_000.0),
        "us",
        Target::None
    ),
    library!(
        Whose::Core,
        "core: list of 200 rows, encoded after all rows changed",
        |f| Some(f.value("encode.200")? / 1_000.0),
        "us",
        Target::None
    ),
    library!(
        Whose::Core,
        "core: key of an id of 1,024 units, in the script that takes the longest",
        |f| Some(slowest(f, "key of 1,024 units.")? / 1_000.0),
        "us",
        AtMost(20.0)
    ),
    library!(
        Whose::Wasm,
        "npm package: list of 200 changed rows, from the frame to sorted rows, as a multiple of plain JavaScript",
        |f| f.value("presence event, 200 rows, all changed.ratio"),
        "x",
        AtMost(2.2)
    ),
    library!(
        Whose::Wasm,
        "npm package: delta of one of 200 rows, from the frame to sorted rows, as a multiple of plain JavaScript",
        |f| f.value("delta of one row without digest, list of 200 rows.ratio"),
        "x",
        AtMost(0.6)
    ),
    library!(
        Whose::Wasm,
        "npm package: touch of one of 200 rows, from the frame to sorted rows, as a multiple of plain JavaScript",
        |f| f.value("touch of one row, list of 200 rows.ratio"),
        "x",
        AtMost(0.6)
    ),
    library!(
        Whose::Wasm,
        "npm package: size of the core, gzipped",
        |f| Some(f.value("core.gzipped")? / 1000.0),
        "KB",
        AtMost(110.0)
    ),
];
