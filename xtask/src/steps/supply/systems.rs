//! Release builds of the gateway for other Linux targets, started on this machine.

use super::release::{Place, keep};
use super::twice::PLACES;
use crate::failure::Failure;
use crate::project::Project;
use crate::steps::Step;
use crate::steps::smoke::start_and_list;
use crate::tally::Tally;
use crate::tools::cross::{LINUXES, Linux};

/// Targets for which Debian has C compilers.
pub(super) const SYSTEMS: Step = Step {
    name: "systems",
    title: "the gateway in release for Linux with musl and on ARM, started here or in QEMU",
    first_time: " (about 10 min)",
    is_ready: |_| false,
    needs: &[],
    opt_in: false,
    run: |project, tally| {
        let place = Place::create(project, PLACES[0])?;
        for linux in &LINUXES {
            build(project, &place, linux, tally)?;
        }
        Ok(())
    },
};

fn build(project: &Project, place: &Place, linux: &Linux, tally: &mut Tally) -> Result<(), Failure> {
    let target = linux.target;
    if let Err(why) = linux.ensure(project) {
        println!("      skipped: {target}: {why}");
        tally.skipped += 1;
        return Ok(());
    }
    let built = place.build_gateway(project, Some(linux))?;
    let kept = keep(project, &built, &format!("presence-gateway-{target}"))?;
    tally.passed += 1;
    match linux.ensure_emulator(project) {
        Ok(emulator) => {
            let mut words: Vec<String> = emulator.into_iter().map(str::to_owned).collect();
            words.push(kept.to_string_lossy().into_owned());
            start_and_list(&words, None)?;
            println!("      {target}: started, and its row listed");
            tally.passed += 1;
        }
        Err(why) => {
            println!("      skipped: {target} is built but not started: {why}");
            tally.skipped += 1;
        }
    }
    Ok(())
}
