//! `jit-graph` as a picture: SVG that needs no font, script or file beside itself.

use super::graph::{self, COLUMNS, Look, exit, exit_at_length, lines, pairs, remark, tooltip};
use super::layers::{self, Layout};
use super::paint::{clipped, harmless};
use super::svg_page::{FONT, LINE, MARGIN, escaped, kind_class, legend, open, pixels, text};
use crate::address::Address;
use crate::listing::{Finding, GraphData, GraphLink, GraphNode, TargetFacts};
use std::collections::HashMap;
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// More boxes make no picture that anybody can read, nor one that a browser likes.
const MOST_BOXES: usize = 1000;

/// More lines for linked exits than a box shows.
const MOST_EXITS: usize = 40;

/// Around text in a box, between columns and between boxes.
const PADDING: u32 = 8;
const GAP_X: u32 = 90;
const GAP_Y: u32 = 26;

/// Room for the title above and the legend below.
const HEAD: u32 = 36;
const LEGEND: u32 = 44;

/// The narrowest picture that has room for the legend.
const NARROWEST: u32 = 860;

/// A box of the picture.
struct Drawn<'d> {
    node: &'d GraphNode,
    lines: Vec<String>,
    /// Its exits that lead to other boxes.
    links: Vec<&'d GraphLink>,
}

/// Draws the graph.
pub fn svg(target: Option<&TargetFacts>, data: &GraphData, findings: &[Finding]) -> String {
    let boxes: Vec<Drawn<'_>> = drawn(data);
    let columns = boxes.iter().flat_map(Drawn::columns).max().unwrap_or(0);
    let width = pixels(columns) + 2 * PADDING;
    let layout = lay_out(data, &boxes, width);
    let picture = Picture {
        data,
        boxes,
        layout,
        width,
    };
    picture.write(target, findings)
}

fn drawn(data: &GraphData) -> Vec<Drawn<'_>> {
    let mut links: HashMap<Address, Vec<&GraphLink>> = HashMap::new();
    for link in &data.links {
        links.entry(link.from).or_default().push(link);
    }
    let nodes = data.executors.iter().take(MOST_BOXES);
    nodes
        .map(|node| Drawn {
            node,
            lines: lines(node),
            links: links.remove(&node.executor.address).unwrap_or_default(),
        })
        .collect()
}

impl Drawn<'_> {
    fn columns(&self) -> impl Iterator<Item = usize> {
        let links = self
            .links
            .iter()
            .map(|link| exit_at_length(link).width().min(COLUMNS));
        self.lines.iter().map(|line| line.width()).chain(links)
    }

    fn height(&self) -> u32 {
        let exits = self.links.len().min(MOST_EXITS + 1);
        let lines = u32::try_from(self.lines.len() + exits).unwrap_or(0);
        let rule = if exits == 0 { 0 } else { PADDING };
        lines * LINE + 2 * PADDING + rule
    }

    /// The middle of the line of a linked exit, from the top of the box.
    fn port(&self, place: usize) -> u32 {
        let line = self.lines.len() + place.min(MOST_EXITS);
        u32::try_from(line).unwrap_or(0) * LINE + 2 * PADDING + LINE / 2
    }
}

/// The places of the boxes. A circle is best read from the executor that loops, or else from one that bytecode enters.
fn lay_out(data: &GraphData, boxes: &[Drawn<'_>], width: u32) -> Layout {
    let place = places(boxes);
    let edges: Vec<(usize, usize)> = pairs(data)
        .iter()
        .filter_map(|((from, to), _)| Some((*place.get(from)?, *place.get(to)?)))
        .collect();
    let rank = |drawn: &Drawn<'_>| match (drawn.node.loops, drawn.node.executor.entry) {
        (true, Some(_)) => 0,
        (false, Some(_)) => 1,
        _ => 2,
    };
    layers::lay_out(&layers::Graph {
        heights: &boxes.iter().map(Drawn::height).collect::<Vec<_>>(),
        ranks: &boxes.iter().map(rank).collect::<Vec<_>>(),
        edges: &edges,
        width,
        gap_x: GAP_X,
        gap_y: GAP_Y,
    })
}

fn places(boxes: &[Drawn<'_>]) -> HashMap<Address, usize> {
    let boxes = boxes.iter().enumerate();
    boxes
        .map(|(place, drawn)| (drawn.node.executor.address, place))
        .collect()
}

struct Picture<'d> {
    data: &'d GraphData,
    boxes: Vec<Drawn<'d>>,
    layout: Layout,
    width: u32,
}

impl Picture<'_> {
    fn write(&self, target: Option<&TargetFacts>, findings: &[Finding]) -> String {
        let title = graph::title(target, self.data);
        let remarks = self.remarks(findings);
        let longest = remarks.iter().map(|remark| remark.width()).max();
        let inside = self.layout.size.0.max(pixels(longest.unwrap_or(0)));
        let width = (inside + 2 * MARGIN).max(NARROWEST);
        let below = u32::try_from(remarks.len()).unwrap_or(0) * LINE;
        let height = HEAD + self.layout.size.1 + LEGEND + below + MARGIN;
        let mut out = String::new();
        open(&mut out, &title, width, height);
        let _ = writeln!(out, "<g transform=\"translate({MARGIN} {HEAD})\">");
        self.arrows(&mut out);
        for (drawn, corner) in self.boxes.iter().zip(&self.layout.corners) {
            self.one(&mut out, drawn, *corner);
        }
        out.push_str("</g>\n");
        let y = HEAD + self.layout.size.1 + LEGEND / 2;
        legend(&mut out, y);
        for (line, remark) in (0..).zip(&remarks) {
            text(
                &mut out,
                "",
                MARGIN,
                y + LEGEND / 2 + line * LINE + FONT,
                remark,
            );
        }
        out.push_str("</svg>\n");
        out
    }

    /// What was odd, and what there is no room for.
    fn remarks(&self, findings: &[Finding]) -> Vec<String> {
        let mut remarks: Vec<String> = findings.iter().map(remark).collect();
        let more = self.data.executors.len().saturating_sub(MOST_BOXES);
        if more > 0 {
            remarks.push(format!(
                "{more} more executors are not drawn: jit-graph EXECUTOR draws what can be reached from one"
            ));
        }
        remarks
    }

    fn one(&self, out: &mut String, drawn: &Drawn<'_>, (x, y): (u32, u32)) {
        let look = Look::of(drawn.node);
        let class = match (look.running, look.gone) {
            (true, _) => "running",
            (false, true) => "gone",
            (false, false) => "box",
        };
        let _ = writeln!(
            out,
            "<g><title>{}</title><rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" rx=\"5\" fill=\"{}\"/>",
            escaped(&tooltip(drawn.node)),
            self.width,
            drawn.height(),
            look.fill
        );
        let left = x + PADDING;
        for (line, content) in (0..).zip(&drawn.lines) {
            let class = if line == 0 { "name" } else { "" };
            text(out, class, left, y + PADDING + line * LINE + FONT, content);
        }
        if !drawn.links.is_empty() {
            let rule = y + drawn.port(0) - LINE / 2 - PADDING / 2;
            let right = x + self.width;
            let _ = writeln!(
                out,
                "<line class=\"rule\" x1=\"{x}\" y1=\"{rule}\" x2=\"{right}\" y2=\"{rule}\"/>"
            );
        }
        self.exits(out, drawn, (left, y));
        out.push_str("</g>\n");
    }

    fn exits(&self, out: &mut String, drawn: &Drawn<'_>, (left, y): (u32, u32)) {
        for (place, link) in drawn.links.iter().enumerate().take(MOST_EXITS) {
            let baseline = y + drawn.port(place) + FONT / 2 - 2;
            let room = (self.width - 2 * PADDING) * 10 / 73;
            let room = usize::try_from(room).unwrap_or(usize::MAX);
            let words = clipped(&harmless(&exit_at_length(link)), room);
            let words = match words.ends_with('…') {
                true => exit(link),
                false => words,
            };
            text(out, kind_class(link.kind), left, baseline, &words);
        }
        let more = drawn.links.len().saturating_sub(MOST_EXITS);
        if more > 0 {
            let baseline = y + drawn.port(MOST_EXITS) + FONT / 2 - 2;
            text(out, "", left, baseline, &format!("… and {more} more"));
        }
    }

    /// The arrows lie below the boxes.
    fn arrows(&self, out: &mut String) {
        let place = places(&self.boxes);
        let mut edges = self.layout.bends.iter();
        for ((from, to), links) in pairs(self.data) {
            let Some((from, to)) = place.get(&from).copied().zip(place.get(&to).copied()) else {
                continue;
            };
            let bends = edges.next().map_or(&[][..], Vec::as_slice);
            for link in links {
                self.arrow(out, from, to, link, bends);
            }
        }
    }

    fn arrow(
        &self,
        out: &mut String,
        from: usize,
        to: usize,
        link: &GraphLink,
        bends: &[(u32, u32)],
    ) {
        let path = self.path(from, to, link, bends).unwrap_or_default();
        let _ = writeln!(
            out,
            "<path class=\"{}\" d=\"{path}\" marker-end=\"url(#{})\"><title>{}</title></path>",
            kind_class(link.kind),
            kind_class(link.kind),
            escaped(&self.arrow_title(from, to, link))
        );
    }

    fn arrow_title(&self, from: usize, to: usize, link: &GraphLink) -> String {
        let name = |place: usize| {
            self.boxes
                .get(place)
                .map_or_else(String::new, |one| graph::name(one.node))
        };
        format!(
            "{} → {}: {} {}",
            name(from),
            name(to),
            link.kind.word(),
            exit_at_length(link)
        )
    }

    /// From the line of the exit to the title of the other box: out of the right side towards later columns and one's
    /// own, out of the left side towards earlier ones.
    fn path(
        &self,
        from: usize,
        to: usize,
        link: &GraphLink,
        bends: &[(u32, u32)],
    ) -> Option<String> {
        let drawn = self.boxes.get(from)?;
        let port = drawn
            .links
            .iter()
            .position(|other| std::ptr::eq(*other, link))?;
        let (x, y) = *self.layout.corners.get(from)?;
        let (to_x, to_y) = *self.layout.corners.get(to)?;
        let start_y = y + drawn.port(port);
        let end_y = to_y + PADDING + LINE / 2;
        let (layer, to_layer) = (self.layout.layers.get(from)?, self.layout.layers.get(to)?);
        let mut path = String::new();
        if layer == to_layer {
            let out = x + self.width + GAP_X / 2;
            let _ = write!(
                path,
                "M{} {start_y}C{out} {start_y} {out} {end_y} {} {end_y}",
                x + self.width,
                to_x + self.width + 2
            );
            return Some(path);
        }
        let forth = layer < to_layer;
        let width = if forth { self.width } else { 0 };
        let mut at = (x + width, start_y);
        let _ = write!(path, "M{} {}", at.0, at.1);
        for (bend_x, bend_y) in bends {
            let (enter, leave) = match forth {
                true => (*bend_x, bend_x + self.width),
                false => (bend_x + self.width, *bend_x),
            };
            curve(&mut path, at, (enter, *bend_y));
            let _ = write!(path, "H{leave}");
            at = (leave, *bend_y);
        }
        let end_x = if forth {
            to_x.saturating_sub(2)
        } else {
            to_x + self.width + 2
        };
        curve(&mut path, at, (end_x, end_y));
        Some(path)
    }
}

/// A curve that leaves and arrives level.
fn curve(path: &mut String, (x, y): (u32, u32), (to_x, to_y): (u32, u32)) {
    let middle = x.midpoint(to_x);
    let _ = write!(path, "C{middle} {y} {middle} {to_y} {to_x} {to_y}");
}
