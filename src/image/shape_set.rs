//! The shapes that were found, and the names that were not.

use crate::error::Error;
use crate::shape::Shape;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The answer to a question for shapes.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ShapeSet {
    /// What was found, by the name that was asked for.
    pub shapes: BTreeMap<String, Shape>,
    /// What was not found.
    pub missing: Vec<MissingShape>,
}

/// A shape that was not found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MissingShape {
    /// The name that was asked for.
    pub name: String,
    /// Why it is missing, as a sentence for people.
    pub reason: String,
}

impl ShapeSet {
    /// The shape with this name.
    pub fn find(&self, name: &str) -> Option<&Shape> {
        self.shapes.get(name)
    }

    /// The shape with this name, or an error that names it.
    pub fn shape(&self, name: &str) -> Result<&Shape, Error> {
        self.find(name).ok_or_else(|| Error::NoShape {
            shape: name.to_owned(),
        })
    }

    /// A set without any of these shapes.
    pub(super) fn all_missing(wanted: &[&str], reason: &str) -> ShapeSet {
        let missing = (wanted.iter())
            .map(|name| MissingShape {
                name: (*name).to_owned(),
                reason: reason.to_owned(),
            })
            .collect();
        ShapeSet {
            shapes: BTreeMap::new(),
            missing,
        }
    }

    /// Whether this set has an answer for the name, be it that there is no such shape.
    pub(super) fn answers(&self, name: &str) -> bool {
        self.shapes.contains_key(name) || self.missing.iter().any(|missing| missing.name == name)
    }

    /// The part of this set that is about these names.
    pub(super) fn only(&self, wanted: &[&str]) -> ShapeSet {
        ShapeSet {
            shapes: (self.shapes.iter())
                .filter(|(name, _)| wanted.contains(&name.as_str()))
                .map(|(name, shape)| (name.clone(), shape.clone()))
                .collect(),
            missing: (self.missing.iter())
                .filter(|missing| wanted.contains(&missing.name.as_str()))
                .cloned()
                .collect(),
        }
    }

    /// Adds the answers of another set.
    pub(super) fn extend(&mut self, other: ShapeSet) {
        self.shapes.extend(other.shapes);
        self.missing.extend(other.missing);
    }
}
