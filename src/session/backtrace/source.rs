//! The code of a target, for following stacks.

use crate::address::Address;
use crate::image::{Image, Vdso};
use crate::session::Session;
use crate::session::program::link_map;
use crate::unwind::{Context, Modules, Source, Step, Tables, has_code, tables, vdso_tables};

impl Session {
    /// What knows the code of this target.
    pub(in crate::session) fn source(&self) -> Code<'_> {
        Code { session: self }
    }

    /// The file whose code is at `address`, and how far from its own addresses it lies.
    pub(super) fn file_at(&self, address: Address) -> Option<(&Image, u64)> {
        let python = self.program().ok().and_then(|program| program.image());
        let in_python =
            |(image, bias): &(&Image, u64)| has_code(image, Address(address.0.wrapping_sub(*bias)));
        python
            .filter(in_python)
            .or_else(|| self.modules().at(address, &self.cache))
    }

    /// The loaded files.
    pub(super) fn modules(&self) -> &Modules {
        self.modules.get_or_init(|| {
            let linked = link_map(self.description(), self.reader());
            let vdso = Vdso::read(self.reader(), &linked);
            Modules::new(self.description(), &linked, vdso)
        })
    }
}

/// The code of a target.
pub(in crate::session) struct Code<'s> {
    session: &'s Session,
}

impl Source for Code<'_> {
    fn step(&self, context: &Context, is_caller: bool) -> Result<Step, String> {
        let inside = Address(context.pc.0.wrapping_sub(u64::from(is_caller)));
        let session = self.session;
        let (tables, name, bias) = if let Some((image, bias)) = session.file_at(inside) {
            (tables(image), image.path().display().to_string(), bias)
        } else if let Some(vdso) = session.modules().vdso_at(inside) {
            (vdso_tables(vdso), vdso.name().to_owned(), vdso.bias())
        } else {
            return self.in_jit_code(context, is_caller);
        };
        let tables = tables.ok_or_else(|| format!("{name} has no unwind tables"))?;
        self.in_function(&tables, Address(inside.0.wrapping_sub(bias)), context)
            .map_err(|reason| format!("{} in {name}: {reason}", context.pc))
    }

    fn is_code(&self, address: Address) -> bool {
        self.session.file_at(address).is_some()
            || self.session.modules().vdso_at(address).is_some()
            || self
                .session
                .code_region(address)
                .is_ok_and(|region| region.is_some())
    }

    fn word(&self, address: Address) -> Option<u64> {
        self.session.reader().u64(address, "stack").ok()
    }
}

impl Code<'_> {
    /// By the unwind table of a file, at one of its own addresses.
    fn in_function(
        &self,
        tables: &Tables<'_>,
        lookup: Address,
        context: &Context,
    ) -> Result<Step, String> {
        let caller = tables.caller(lookup, context, self.session.reader())?;
        Ok(Step {
            caller: caller.context,
            cfa: caller.cfa,
            is_jit: false,
            is_signal: caller.is_signal,
        })
    }

    /// Files that the address may be in, since nothing tells where they are.
    fn lost_files(&self) -> String {
        match self.session.modules().lost() {
            [] => String::new(),
            [one] => format!("; nothing tells where {one} is loaded"),
            [first, others @ ..] => format!(
                "; nothing tells where {first} and {} more files are loaded",
                others.len()
            ),
        }
    }

    fn in_jit_code(&self, context: &Context, is_caller: bool) -> Result<Step, String> {
        match self.session.jit_caller(context, is_caller) {
            Ok(Some(caller)) => Ok(Step {
                caller: Some(caller.context),
                cfa: caller.cfa,
                is_jit: true,
                is_signal: false,
            }),
            Ok(None) => Err(format!(
                "{} is neither in a loaded file nor in the machine code of an executor{}",
                context.pc,
                self.lost_files()
            )),
            Err(error) => Err(format!("{} in JIT code: {error}", context.pc)),
        }
    }
}
