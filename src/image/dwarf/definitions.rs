//! The definitions of structures that a unit has at its top level, where C puts them all.

use super::die::Die;
use super::dies::Dies;
use super::trouble::Trouble;
use gimli::{DwTag, constants as dw};
use std::collections::HashMap;

/// How many typedefs may lead from a name to its structure.
const LONGEST_CHAIN: usize = 16;

/// What a unit says about the names that are looked for.
#[derive(Default, Debug)]
pub(super) struct Definitions {
    /// Where the structure of a name is defined. A tag goes before a typedef of the same name.
    pub(super) structures: HashMap<String, usize>,
    /// What could not be followed, by name.
    pub(super) troubles: Vec<(String, Trouble)>,
}

/// Looks through the top level of the unit that begins at `start` for tags and typedefs with one of these names.
pub(super) fn definitions(
    dies: &mut Dies<'_>,
    start: usize,
    wanted: &[&str],
) -> Result<Definitions, Trouble> {
    let mut found = Definitions::default();
    let mut typedefs = Vec::new();
    let unit = dies.unit(start)?;
    let Some(root) = unit.die(unit.root())?.filter(|root| root.has_children) else {
        return Ok(found);
    };
    let mut next = root.next;
    while let Some(die) = unit.die_if(next, names_a_structure)? {
        let at = next;
        next = unit.behind(&die)?;
        let name = wanted.iter().find(|name| die.name == Some(name.as_bytes()));
        match (name, die.tag) {
            (Some(name), dw::DW_TAG_typedef) => typedefs.push((*name, die)),
            (Some(name), _) if die.is_aggregate() && !die.is_declaration => {
                found.structures.entry((*name).to_owned()).or_insert(at);
            }
            _ => {}
        }
    }
    for (name, typedef) in typedefs {
        found.add_typedef(dies, name, typedef);
    }
    Ok(found)
}

impl Definitions {
    fn add_typedef(&mut self, dies: &mut Dies<'_>, name: &str, typedef: Die<'_>) {
        match structure_behind(dies, typedef) {
            Ok(Some(at)) => {
                self.structures.entry(name.to_owned()).or_insert(at);
            }
            Ok(None) => {}
            Err(trouble) => self.troubles.push((name.to_owned(), trouble)),
        }
    }
}

fn names_a_structure(tag: DwTag) -> bool {
    matches!(
        tag,
        dw::DW_TAG_structure_type
            | dw::DW_TAG_union_type
            | dw::DW_TAG_class_type
            | dw::DW_TAG_typedef
    )
}

/// Where the structure is defined that a typedef stands for; `None` for a declaration or something else.
fn structure_behind(dies: &mut Dies<'_>, typedef: Die<'_>) -> Result<Option<usize>, Trouble> {
    let mut next = typedef.type_at?;
    for _ in 0..LONGEST_CHAIN {
        let Some(at) = next else { return Ok(None) };
        let die = dies.die(at)?;
        if die.is_aggregate() {
            return Ok((!die.is_declaration).then_some(at));
        }
        match die.tag {
            dw::DW_TAG_typedef | dw::DW_TAG_const_type | dw::DW_TAG_volatile_type => {
                next = die.type_at?;
            }
            _ => return Ok(None),
        }
    }
    Err(Trouble::Limit("a chain of types that does not end"))
}
