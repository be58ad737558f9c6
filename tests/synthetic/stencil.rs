//! Kinds of uops and the machine code that is written for them: hexadecimal bytes with holes.

use super::text::Line;

/// A kind of uop as the description has it.
#[derive(Clone, Debug)]
pub struct Kind {
    pub name: String,
    pub opcode: u64,
    /// `none`: there is no stencil.
    pub code: Option<Vec<Piece>>,
    pub data: u64,
    pub got: Vec<usize>,
    pub trampolines: Vec<usize>,
}

/// A part of a stencil.
#[derive(Clone, Debug)]
pub enum Piece {
    Byte(u8),
    /// A value of 4 or 8 bytes that depends on the instruction or on where things are.
    Hole(Hole),
}

/// What fills a hole.
#[derive(Clone, Debug)]
pub enum Hole {
    /// x86: how far it is from the end of the hole to a place.
    Relative(Place),
    /// AArch64: `b` (false) or `bl` (true) to a place.
    Branch(bool, Place),
    Oparg,
    Operand0,
}

/// A place that machine code refers to.
#[derive(Clone, Debug)]
pub enum Place {
    Jump,
    Error,
    Guard,
    Own(u64),
    Data(u64),
    Got(usize),
    Trampoline(usize),
}

impl Kind {
    /// `NAME [none] [opcode=N] [data=N] [got=K,…] [trampolines=K,…] : 48 89 <jump> …`; bytes may be left out.
    pub fn parse(line: &Line, next_opcode: u64) -> Kind {
        let list = |key| -> Vec<usize> {
            let items = line.value(key).into_iter().flat_map(|text| text.split(','));
            items.map(|item| line.parsed(item) as usize).collect()
        };
        Kind {
            name: line.word(0).to_owned(),
            opcode: line.number("opcode", next_opcode),
            code: (!line.has("none")).then(|| pieces(line)),
            data: line.number("data", 0),
            got: list("got"),
            trampolines: list("trampolines"),
        }
    }

    /// Bytes of machine code.
    pub fn size(&self) -> u64 {
        self.code.iter().flatten().map(Piece::size).sum()
    }
}

impl Piece {
    fn size(&self) -> u64 {
        match self {
            Piece::Byte(_) => 1,
            Piece::Hole(Hole::Operand0) => 8,
            Piece::Hole(_) => 4,
        }
    }
}

fn pieces(line: &Line) -> Vec<Piece> {
    let text = line.tail.as_deref().unwrap_or_default();
    let mut pieces = Vec::new();
    for (index, part) in text.split(['<', '>']).enumerate() {
        match index % 2 {
            1 => pieces.push(Piece::Hole(hole(line, part))),
            _ => pieces.extend(bytes(line, part)),
        }
    }
    pieces
}

fn bytes(line: &Line, text: &str) -> Vec<Piece> {
    let digits: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    let byte = |pair: &[char]| {
        let pair: String = pair.iter().collect();
        match u8::from_str_radix(&pair, 16) {
            Ok(byte) if pair.len() == 2 => Piece::Byte(byte),
            _ => line.fail("machine code is written as pairs of hexadecimal digits"),
        }
    };
    digits.chunks(2).map(byte).collect()
}

fn hole(line: &Line, text: &str) -> Hole {
    match text {
        "oparg" => Hole::Oparg,
        "operand0" => Hole::Operand0,
        _ => match text.split_once(' ') {
            Some(("b", text)) => Hole::Branch(false, place(line, text)),
            Some(("bl", text)) => Hole::Branch(true, place(line, text)),
            _ => Hole::Relative(place(line, text)),
        },
    }
}

fn place(line: &Line, text: &str) -> Place {
    let (name, offset) = match text.split_once('+') {
        Some((name, offset)) => (name, line.parsed(offset)),
        None => (text, 0),
    };
    let number = |prefix: &str| name.strip_prefix(prefix).map(|n| line.parsed(n) as usize);
    match name {
        "jump" => Place::Jump,
        "error" => Place::Error,
        "guard" => Place::Guard,
        "own" => Place::Own(offset),
        "data" => Place::Data(offset),
        _ => match (number("got"), number("trampoline")) {
            (Some(ordinal), _) => Place::Got(ordinal),
            (None, Some(ordinal)) => Place::Trampoline(ordinal),
            (None, None) => line.fail(&format!("there is no hole <{text}>")),
        },
    }
}
