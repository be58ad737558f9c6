//! Addresses as users write them: numbers, registers, symbols, and sums of these.

use crate::address::Address;
use crate::image::{Cache, DebugSearch, Image};
use crate::platform::Architecture;
use crate::target::{Evaluate, LoadedFile, Registers, ThreadRegisters};
use std::path::PathBuf;

/// Operands in one expression; nobody types more.
const MOST_TERMS: usize = 64;

/// What the expressions of the command line are about.
pub struct Expressions {
    registers: Option<Registers>,
    threads: Vec<ThreadRegisters>,
    files: Vec<LoadedFile>,
    debug_directories: Vec<PathBuf>,
}

impl Expressions {
    /// Expressions with the registers of the selected thread and the symbols of the loaded files.
    pub fn new(
        registers: Option<Registers>,
        files: &[LoadedFile],
        debug_directories: &[PathBuf],
    ) -> Expressions {
        Expressions {
            registers,
            threads: Vec::new(),
            files: files.to_vec(),
            debug_directories: debug_directories.to_vec(),
        }
    }

    /// The same, with the registers of all threads.
    pub fn with_threads(self, threads: Vec<ThreadRegisters>) -> Expressions {
        Expressions { threads, ..self }
    }

    fn term(&self, text: &str) -> Result<u64, String> {
        if let Some(name) = text.strip_prefix('$') {
            return self.register(name);
        }
        if let Some(name) = text.strip_prefix('&') {
            return self.symbol(name.trim());
        }
        let number = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            Some(digits) => u64::from_str_radix(digits, 16),
            None => text.parse(),
        };
        number.map_err(|_| {
            let what = if text.is_empty() { "nothing" } else { text };
            format!("{what} is no number (12, 0x7f00), register ($pc, $sp) or symbol (&_PyRuntime)")
        })
    }

    fn register(&self, name: &str) -> Result<u64, String> {
        let registers = self
            .registers
            .as_ref()
            .ok_or("no registers are known: a running process shows them with --stop, a core if it names its threads")?;
        registers.get(name).ok_or_else(|| {
            let names = registers
                .architecture()
                .platform()
                .kernel_registers
                .join(", ");
            format!("there is no register {name}; there are pc, sp, {names}")
        })
    }

    fn symbol(&self, name: &str) -> Result<u64, String> {
        let cache = Cache::from_environment();
        for file in &self.files {
            let search = DebugSearch {
                debug_files: file.debug_files.clone(),
                debug_directories: self.debug_directories.clone(),
            };
            let Ok(image) = Image::open(&file.path, &search, &cache) else {
                continue;
            };
            if let Some((symbol, bias)) = image.symbol(name).zip(file.bias) {
                return Ok(symbol.address.0.wrapping_add(bias));
            }
        }
        Err(format!("no file of this target has a symbol {name}"))
    }
}

impl Evaluate for Expressions {
    fn evaluate(&self, expression: &str) -> Result<Address, String> {
        let mut sum = 0u64;
        let mut minus = false;
        let mut rest = expression.trim();
        for _ in 0..MOST_TERMS {
            let end = rest.find(['+', '-']).unwrap_or(rest.len());
            let (term, behind) = rest.split_at_checked(end).unwrap_or((rest, ""));
            let value = self.term(term.trim())?;
            sum = match minus {
                true => sum.wrapping_sub(value),
                false => sum.wrapping_add(value),
            };
            let mut behind = behind.chars();
            match behind.next() {
                None => return Ok(Address(sum)),
                Some(sign) => minus = sign == '-',
            }
            rest = behind.as_str();
        }
        Err(format!("more than {MOST_TERMS} operands"))
    }

    fn threads(&self, _: Architecture, all: bool) -> Result<Vec<ThreadRegisters>, String> {
        let wanted = self.threads.iter().filter(|one| all || one.is_selected);
        match wanted.cloned().collect::<Vec<_>>() {
            none if none.is_empty() => Err(
                "no registers are known: a running process shows them with --stop, a core if it names its threads"
                    .to_owned(),
            ),
            threads => Ok(threads),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Result<u64, String> {
        let bytes: Vec<u8> = (0..27u64).flat_map(|i| (i * 0x100).to_le_bytes()).collect();
        let registers = Registers::from_bytes(Architecture::X86_64, &bytes);
        let expressions = Expressions::new(Some(registers), &[], &[]);
        expressions.evaluate(text).map(|address| address.0)
    }

    #[test]
    fn adds_numbers_and_registers() {
        assert_eq!(value("0x10"), Ok(16));
        assert_eq!(value(" $pc + 5 - 0x3"), Ok(0x1002));
        assert_eq!(value("$rip+1"), Ok(0x1001));
        assert_eq!(value("$sp - $sp"), Ok(0));
    }

    #[test]
    fn says_what_it_does_not_know() {
        assert!(value("$xmm0").unwrap_err().contains("r15"));
        assert!(value("&nothing").unwrap_err().contains("no file"));
        assert!(value("f(1)").unwrap_err().contains("f(1) is no number"));
        assert!(value("1 +").unwrap_err().contains("nothing"));
        assert!(value(&"1+".repeat(100)).unwrap_err().contains("operands"));
        let none = Expressions::new(None, &[], &[]);
        assert!(none.evaluate("$pc").unwrap_err().contains("--stop"));
    }
}
