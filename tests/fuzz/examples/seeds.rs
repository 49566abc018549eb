//! `cargo run -p presence-fuzz --example seeds FOLDER`: writes the seeds of every target to `FOLDER/TARGET`, with the
//! inputs that once broke it.

use std::path::{Path, PathBuf};
use std::{fs, io};

fn main() -> io::Result<()> {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        return Err(io::Error::other("name a folder for the seeds"));
    };
    let regressions = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions");
    for target in presence_fuzz::TARGETS {
        let corpus = folder.join(target.name);
        fs::create_dir_all(&corpus)?;
        for (index, seed) in (target.seeds)().iter().enumerate() {
            fs::write(corpus.join(format!("seed-{index}")), seed)?;
        }
        let Ok(found) = fs::read_dir(regressions.join(target.name)) else {
            continue;
        };
        for entry in found {
            let entry = entry?;
            fs::copy(entry.path(), corpus.join(entry.file_name()))?;
        }
    }
    Ok(())
}
