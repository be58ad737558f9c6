//! The internal breakpoints that tell of executors which come and go.

use super::Breakpoints;
use crate::address::{Address, Range};
use crate::control::{Action, Hook, Place, RegionPlaces, Registers};
use crate::error::Result;
use crate::platform::{Architecture, Register};
use crate::session::{CompileEvent, FreeEvent, Session};

/// `__jit_debug_register_code` is called.
pub(super) const REGISTERED: &str = "registered";

/// `_PyOptimizer_Optimize` returns.
pub(super) const OPTIMIZED: &str = "optimized";

/// `munmap` is called.
pub(super) const UNMAPPED: &str = "unmapped";

/// The registers with the first argument of a function and with its result, by the conventions of Linux.
pub(super) fn registers(architecture: Architecture) -> Vec<&'static str> {
    let platform = architecture.platform();
    let mut names = vec![platform.first_argument.name(architecture)];
    if platform.result != platform.first_argument {
        names.push(platform.result.name(architecture));
    }
    names
}

/// The first argument, at the entry of a function.
pub(super) fn argument(registers: &Registers) -> Option<Address> {
    any_of(registers, |architecture| {
        architecture.platform().first_argument
    })
    .map(Address)
}

/// What a function that gives an `int` returns.
pub(super) fn result(registers: &Registers) -> Option<u64> {
    let found = any_of(registers, |architecture| architecture.platform().result);
    found.map(|value| value & u64::from(u32::MAX))
}

/// No two architectures have a register of one name, so the values tell which it is.
fn any_of(registers: &Registers, wanted: fn(Architecture) -> Register) -> Option<u64> {
    let mut names = Architecture::ALL
        .into_iter()
        .map(|one| wanted(one).name(one));
    names.find_map(|name| registers.get(name).copied())
}

/// All hooks that are needed to follow executors.
pub(super) fn needed(session: &Session, architecture: Architecture) -> Result<Vec<Hook>> {
    let hook = |kind, address| Hook {
        kind,
        address,
        registers: match kind {
            REGISTERED => Vec::new(),
            _ => registers(architecture),
        },
    };
    let mut hooks = Vec::new();
    match session.compile_event()? {
        CompileEvent::Optimized(ends) => {
            hooks.extend(ends.into_iter().map(|address| hook(OPTIMIZED, address)));
        }
        CompileEvent::Registered(address) => hooks.push(hook(REGISTERED, address)),
    }
    let free = match session.free_event()? {
        FreeEvent::Registered(address) => hook(REGISTERED, address),
        FreeEvent::Unmapped(address) => hook(UNMAPPED, address),
    };
    if !hooks.contains(&free) {
        hooks.push(free);
    }
    Ok(hooks)
}

impl Breakpoints {
    /// The hooks as they are from now on.
    pub(super) fn put_hooks(&mut self, hooks: Vec<Hook>) -> Option<Action> {
        if hooks == self.hooks {
            return None;
        }
        self.hooks.clone_from(&hooks);
        Some(Action::Hooks(hooks))
    }

    /// The places of catches as they are from now on.
    pub(super) fn put_posts(
        &mut self,
        architecture: Architecture,
        posts: Vec<Place>,
    ) -> Vec<Action> {
        let mut addresses: Vec<Address> = posts
            .iter()
            .chain(&self.posts)
            .map(|place| place.address)
            .collect();
        addresses.sort_unstable();
        addresses.dedup();
        let at = |all: &[Place], address| -> Vec<Place> {
            let here = all.iter().filter(|place| place.address == address);
            here.cloned().collect()
        };
        let mut actions = Vec::new();
        for address in addresses {
            let places = at(&posts, address);
            if places != at(&self.posts, address) {
                actions.push(Action::UpdateRegion(post(architecture, address, places)));
            }
        }
        self.posts = posts;
        actions
    }
}

/// The file claims no memory: it is the code of another one.
fn post(architecture: Architecture, address: Address, places: Vec<Place>) -> RegionPlaces {
    RegionPlaces {
        range: Range::new(address, 1),
        probes: super::probes::probes(architecture, Range::new(address, 0), &places),
        places,
    }
}
