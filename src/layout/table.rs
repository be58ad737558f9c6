//! Layouts of known builds, as data: for targets whose debug information is missing.

use crate::platform::Architecture;
use crate::shape::{Bits, Field, Shape};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The layouts of one build of CPython.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Table {
    /// `PY_VERSION_HEX` of the build that it was made from.
    pub version_hex: u64,
    /// Whether that was a build with `Py_DEBUG`.
    pub debug_build: bool,
    /// The structures, by name.
    pub shapes: BTreeMap<String, Shape>,
}

/// A built-in table: what it is for, and its text.
struct BuiltIn {
    /// The name of the architecture: locks of C libraries have other sizes elsewhere.
    machine: &'static str,
    /// `PY_VERSION_HEX >> 16`.
    minor: u64,
    /// Whether it is of a build with `Py_DEBUG`.
    debug: bool,
    text: &'static str,
    /// Where only what differs is in `text`, the rest.
    base: Option<&'static str>,
}

const RELEASE_3_14: &str = include_str!("tables/3.14.layout");
const RELEASE_3_15: &str = include_str!("tables/3.15.layout");

const BUILT_IN: [BuiltIn; 6] = [
    BuiltIn {
        machine: "x86_64",
        minor: 0x030e,
        debug: false,
        text: RELEASE_3_14,
        base: None,
    },
    BuiltIn {
        machine: "x86_64",
        minor: 0x030e,
        debug: true,
        text: include_str!("tables/3.14d.layout"),
        base: Some(RELEASE_3_14),
    },
    BuiltIn {
        machine: "x86_64",
        minor: 0x030f,
        debug: false,
        text: RELEASE_3_15,
        base: None,
    },
    BuiltIn {
        machine: "x86_64",
        minor: 0x030f,
        debug: true,
        text: include_str!("tables/3.15d.layout"),
        base: Some(RELEASE_3_15),
    },
    BuiltIn {
        machine: "aarch64",
        minor: 0x030e,
        debug: false,
        text: include_str!("tables/3.14-aarch64.layout"),
        base: Some(RELEASE_3_14),
    },
    BuiltIn {
        machine: "aarch64",
        minor: 0x030f,
        debug: false,
        text: include_str!("tables/3.15-aarch64.layout"),
        base: Some(RELEASE_3_15),
    },
];

impl Table {
    /// The built-in tables for this `PY_VERSION_HEX`, release and debug, whatever the last figures of the version are.
    pub fn built_in(version_hex: u64, architecture: Architecture) -> Vec<Table> {
        (BUILT_IN.iter())
            .filter(|built_in| built_in.is_for(version_hex, architecture))
            .filter_map(BuiltIn::table)
            .collect()
    }

    /// The built-in table of one kind of build.
    pub fn of_build(version_hex: u64, architecture: Architecture, debug: bool) -> Option<Table> {
        (BUILT_IN.iter())
            .find(|one| one.is_for(version_hex, architecture) && one.debug == debug)
            .and_then(BuiltIn::table)
    }

    /// Reads the text form: `version HEX`, then each structure with its size, and indented its fields with offset and
    /// size in bytes, and `bits SHIFT WIDTH`, `each SIZE` (of an array's elements), `signed` where that is so.
    ///
    /// # Errors
    /// The line that could not be understood.
    pub fn parse(text: &str) -> Result<Table, String> {
        let mut table = Table::default();
        let mut shape: Option<Shape> = None;
        let lines = text
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty());
        for line in lines {
            let understood = match (line.strip_prefix("version 0x"), line.strip_prefix("  ")) {
                (Some(version), _) => u64::from_str_radix(version, 16)
                    .map(|version| table.version_hex = version)
                    .ok(),
                (None, Some(line)) => parse_field(line)
                    .zip(shape.as_mut())
                    .map(|(field, shape)| shape.fields.push(field)),
                (None, None) => {
                    let next = parse_shape(line);
                    let understood = next.is_some().then_some(());
                    table.add(std::mem::replace(&mut shape, next));
                    understood
                }
            };
            understood.ok_or_else(|| format!("what is '{line}'?"))?;
        }
        table.add(shape);
        Ok(table)
    }

    fn add(&mut self, shape: Option<Shape>) {
        if let Some(shape) = shape {
            self.shapes.insert(shape.name.clone(), shape);
        }
    }

    /// The text form, without comments.
    pub fn text(&self) -> String {
        let mut text = format!("version {:#010x}\n", self.version_hex);
        for shape in self.shapes.values() {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{} {}", shape.name, shape.size);
            for field in &shape.fields {
                let _ = writeln!(text, "  {}", field_text(field));
            }
        }
        text
    }
}

impl BuiltIn {
    fn is_for(&self, version_hex: u64, architecture: Architecture) -> bool {
        self.minor == version_hex >> 16 && self.machine == architecture.name()
    }

    /// A unit test shows that each can be read.
    fn table(&self) -> Option<Table> {
        let mut table = Table::parse(self.text).ok()?;
        table.debug_build = self.debug;
        if let Some(base) = self.base {
            for (name, shape) in Table::parse(base).ok()?.shapes {
                table.shapes.entry(name).or_insert(shape);
            }
        }
        Some(table)
    }
}

fn parse_shape(line: &str) -> Option<Shape> {
    let (name, size) = line.split_once(' ')?;
    Some(Shape {
        name: name.to_owned(),
        size: size.parse().ok()?,
        fields: Vec::new(),
    })
}

fn parse_field(line: &str) -> Option<Field> {
    let mut words = line.split(' ');
    let mut field = Field {
        name: words.next()?.to_owned(),
        offset: words.next()?.parse().ok()?,
        size: words.next()?.parse().ok()?,
        bits: None,
        element: None,
        signed: false,
    };
    while let Some(word) = words.next() {
        match word {
            "bits" => {
                field.bits = Some(Bits {
                    shift: words.next()?.parse().ok()?,
                    width: words.next()?.parse().ok()?,
                });
            }
            "each" => field.element = Some(words.next()?.parse().ok()?),
            "signed" => field.signed = true,
            _ => return None,
        }
    }
    Some(field)
}

fn field_text(field: &Field) -> String {
    let bits = (field.bits).map(|bits| format!(" bits {} {}", bits.shift, bits.width));
    let each = field.element.map(|size| format!(" each {size}"));
    let signed = if field.signed { " signed" } else { "" };
    format!(
        "{} {} {}{}{}{signed}",
        field.name,
        field.offset,
        field.size,
        bits.unwrap_or_default(),
        each.unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_tables_can_be_read() {
        for built_in in &BUILT_IN {
            let text = Table::parse(built_in.text).unwrap();
            assert_eq!(text.version_hex >> 16, built_in.minor);
            assert!(!text.shapes.is_empty());
            let whole = built_in.table().unwrap();
            let architecture = built_in.machine.parse().unwrap();
            assert_eq!(
                Table::of_build(text.version_hex, architecture, built_in.debug),
                Some(whole)
            );
        }
        assert!(Table::built_in(0x0310_00a1, Architecture::X86_64).is_empty());
    }

    #[test]
    fn text_and_table_say_the_same() {
        for built_in in &BUILT_IN {
            let table = built_in.table().unwrap();
            let same = Table::parse(&table.text()).unwrap();
            assert_eq!(
                (same.version_hex, same.shapes),
                (table.version_hex, table.shapes)
            );
        }
    }

    #[test]
    fn what_is_not_understood_is_told() {
        let wrong = ["f 0 8", "  f 0 8", "version 0xx", "A 8\n  f 0 8 odd"];
        for text in wrong {
            assert!(Table::parse(text).is_err(), "{text}");
        }
    }
}
