//! What was learnt, found again by stencil and by first bytes.

use super::dialect::Dialect;
use super::text::Form;
use crate::platform::Architecture;
use std::collections::HashMap;
use std::sync::Arc;

/// A power of two; a JIT's stencils have some thousand different instructions.
const BUCKETS: usize = 4096;

/// Comparing this many forms costs about as much as decoding once.
const BUCKET_FORMS: usize = 32;

/// Of a stencil longer than this (none is), the rest is found by its bytes.
const TEMPLATE_FORMS: usize = 4096;

/// All forms in all places, some 200 bytes each, so that hostile code cannot fill the memory. Starting over costs one
/// decode for each.
const MAX_FORMS: usize = 1 << 17;

/// The instructions of one stencil, in order.
pub(super) type Template = Vec<Arc<Form>>;

/// What was learnt.
pub(super) struct Cache {
    templates: HashMap<u32, Template>,
    keys: &'static [u32],
    /// By some bits of the first bytes. Two different beginnings may share a bucket: the forms are compared in full.
    buckets: Vec<Vec<Arc<Form>>>,
    forms: usize,
}

impl Cache {
    pub fn new(architecture: Architecture) -> Cache {
        Cache::with_keys(Dialect::of(architecture).keys)
    }

    fn with_keys(keys: &'static [u32]) -> Cache {
        Cache {
            templates: HashMap::new(),
            keys,
            buckets: vec![Vec::new(); BUCKETS],
            forms: 0,
        }
    }

    /// The instructions that code of this stencil had, to be given back by [`Cache::keep`].
    pub fn take(&mut self, stencil: u32) -> Template {
        let Some(template) = self.templates.remove(&stencil) else {
            return Template::new();
        };
        self.forms = self.forms.saturating_sub(template.len() + 1);
        template
    }

    /// Keeps the instructions of a stencil for the next time.
    pub fn keep(&mut self, stencil: u32, template: Template) {
        // One more, so that the stencils themselves are limited, too.
        self.count(template.len() + 1);
        self.templates.insert(stencil, template);
    }

    /// The form of the instruction at the beginning of `window`, of which `available` bytes are code.
    pub fn find(&self, window: u128, available: usize) -> Option<&Arc<Form>> {
        self.keys.iter().find_map(|&key| {
            let bucket = self.buckets.get(bucket(window, key))?;
            bucket.iter().find(|form| form.fits(window, available))
        })
    }

    /// Remembers the form of the instruction at the beginning of `window`.
    pub fn remember(&mut self, window: u128, form: &Arc<Form>) {
        let mut keys = self.keys.iter();
        let Some(&key) = keys.find(|&&key| form.pattern.covers(key)) else {
            return;
        };
        self.count(1);
        let Some(bucket) = self.buckets.get_mut(bucket(window, key)) else {
            return;
        };
        if bucket.len() >= BUCKET_FORMS {
            self.forms = self.forms.saturating_sub(bucket.len());
            bucket.clear();
        }
        bucket.push(Arc::clone(form));
    }

    /// Makes room for `more` forms.
    fn count(&mut self, more: usize) {
        if self.forms + more > MAX_FORMS {
            *self = Cache::with_keys(self.keys);
        }
        self.forms += more;
    }
}

/// Writes `form` at `index`, where the template has something else or ends.
pub(super) fn amend(template: &mut Template, index: usize, form: &Arc<Form>) {
    if let Some(slot) = template.get_mut(index) {
        *slot = Arc::clone(form);
    } else if index == template.len() && index < TEMPLATE_FORMS {
        template.push(Arc::clone(form));
    }
}

fn bucket(window: u128, key: u32) -> usize {
    // Fibonacci hashing: the top 12 bits (4096 buckets) of the product depend on all bits.
    #[allow(clippy::cast_possible_truncation)]
    let beginning = window as u32 & key;
    (beginning.wrapping_mul(0x9e37_79b9) >> 20) as usize
}

#[cfg(test)]
mod tests {
    use super::super::learn::bad;
    use super::super::pattern::Pattern;
    use super::*;

    #[test]
    fn starts_over_when_full() {
        let mut cache = Cache::new(Architecture::X86_64);
        let form = Arc::new(bad(1));
        for stencil in 0..100 {
            cache.keep(stencil, vec![Arc::clone(&form); TEMPLATE_FORMS]);
            assert!(cache.forms <= MAX_FORMS);
        }
        let kept: usize = cache.templates.values().map(|kept| kept.len() + 1).sum();
        assert_eq!(kept, cache.forms);
    }

    #[test]
    fn a_full_bucket_is_emptied() {
        let mut cache = Cache::new(Architecture::X86_64);
        let mut form = bad(1);
        form.pattern = Pattern::new(0x90, 1, None);
        let form = Arc::new(form);
        for _ in 0..BUCKET_FORMS * 3 {
            cache.remember(0x90, &form);
        }
        assert!(cache.find(0x90, 1).is_some());
        assert!(cache.forms <= BUCKET_FORMS);
    }

    #[test]
    fn every_beginning_has_a_bucket() {
        for beginning in (0..1 << 24).step_by(97) {
            assert!(bucket(beginning, u32::MAX) < BUCKETS);
        }
    }
}
