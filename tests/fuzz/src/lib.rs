//! The bodies of the fuzz targets, as cargo-fuzz's programs see them.

#[path = "../bodies/mod.rs"]
pub mod bodies;
#[path = "../../synthetic/mod.rs"]
pub mod synthetic;

/// Runs the body with this name.
pub fn run(name: &str, bytes: &[u8]) {
    let body = bodies::BODIES.iter().find(|body| body.name == name);
    (body.expect("there is a body for each target").run)(bytes);
}
