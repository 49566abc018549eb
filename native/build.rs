//! Rebuilds the program when the page changes that is a part of it (feature `page`).

fn main() {
    println!("cargo::rerun-if-env-changed=PRESENCE_PAGE");
    let folder = std::env::var_os("PRESENCE_PAGE").filter(|_| cfg!(feature = "page"));
    if let Some(folder) = folder {
        println!("cargo::rerun-if-changed={}", folder.to_string_lossy());
    }
    println!("cargo::rerun-if-changed=build.rs");
}
