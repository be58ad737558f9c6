//! Places boxes in columns: those that nothing leads to stand first, each other one column behind the nearest box that
//! leads to it. Boxes that are not connected stand below each other. Arrows that cross columns bend in each of them, those
//! to the same box together.
//!
//! The usual way to draw layered graphs (Sugiyama, Tagawa and Toda), in its simplest form: the same graph always gives
//! the same picture.

use std::collections::{HashMap, VecDeque};

/// Sweeps that bring boxes near to those they are joined with; more change hardly anything.
const SWEEPS: usize = 8;

/// More bends than this make no picture that anybody can read; further arrows go straight.
const MOST_BENDS: usize = 20_000;

/// Room for an arrow that passes a column.
const BEND_HEIGHT: u32 = 10;

/// Fractions of a position, so that means of positions differ.
const SCALE: u64 = 1024;

/// What is to be placed.
pub struct Graph<'g> {
    /// The height of each box.
    pub heights: &'g [u32],
    /// Which box begins a circle that nothing leads into: the lowest.
    pub ranks: &'g [u32],
    /// Arrows from one box to another.
    pub edges: &'g [(usize, usize)],
    /// The width of all boxes.
    pub width: u32,
    /// Between two columns.
    pub gap_x: u32,
    /// Between two boxes of a column.
    pub gap_y: u32,
}

/// Where everything is.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// The upper left corner of each box.
    pub corners: Vec<(u32, u32)>,
    /// The column of each box.
    pub layers: Vec<usize>,
    /// For each arrow, where it enters the columns that it crosses, in the direction of the arrow.
    pub bends: Vec<Vec<(u32, u32)>>,
    /// Width and height of the whole.
    pub size: (u32, u32),
}

/// What stands in a column: a box, or an arrow that passes.
#[derive(Clone)]
struct Cell {
    /// The box; `None` for a bend.
    index: Option<usize>,
    layer: usize,
    height: u32,
    /// The cells that it is joined with in neighbouring columns.
    neighbours: Vec<usize>,
    position: u64,
    y: u32,
}

/// Places all boxes.
pub fn lay_out(graph: &Graph<'_>) -> Layout {
    let count = graph.heights.len();
    let mut layout = Layout {
        corners: vec![(0, 0); count],
        layers: layers(graph),
        bends: vec![Vec::new(); graph.edges.len()],
        size: (0, 0),
    };
    let mut bends_left = MOST_BENDS;
    let (groups, singles) = groups(graph);
    for boxes in groups {
        let mut group = Group::new(graph, &layout.layers, &boxes, &mut bends_left);
        let mut columns = columns(&mut group.cells);
        sort_columns(&mut columns, &mut group.cells);
        place(graph, &columns, &mut group, &mut layout);
    }
    place_singles(graph, &singles, &mut layout);
    layout
}

fn at<T: Copy + Default>(all: &[T], index: usize) -> T {
    all.get(index).copied().unwrap_or_default()
}

/// For each box those at the other end of its arrows.
fn adjacent(graph: &Graph<'_>, both_ways: bool) -> Vec<Vec<usize>> {
    let mut adjacent = vec![Vec::new(); graph.heights.len()];
    for (from, to) in graph.edges {
        if let Some(list) = adjacent.get_mut(*from) {
            list.push(*to);
        }
        if let Some(list) = adjacent.get_mut(*to).filter(|_| both_ways) {
            list.push(*from);
        }
    }
    adjacent
}

/// The distance of each box from the nearest one that nothing leads to. Where all lead to each other, the circle
/// begins at the box of the lowest rank.
fn layers(graph: &Graph<'_>) -> Vec<usize> {
    let count = graph.heights.len();
    let mut is_target = vec![false; count];
    for (from, to) in graph.edges.iter().filter(|(from, to)| from != to) {
        debug_assert!(*from < count && *to < count);
        if let Some(target) = is_target.get_mut(*to) {
            *target = true;
        }
    }
    let adjacent = adjacent(graph, false);
    let mut layers: Vec<Option<usize>> = vec![None; count];
    let roots: Vec<usize> = (0..count).filter(|index| !at(&is_target, *index)).collect();
    spread(&adjacent, &mut layers, roots);
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by_key(|index| at(graph.ranks, *index));
    for index in order {
        if at(&layers, index).is_none() {
            spread(&adjacent, &mut layers, vec![index]);
        }
    }
    layers.into_iter().map(Option::unwrap_or_default).collect()
}

/// Breadth first, each box once.
fn spread(adjacent: &[Vec<usize>], layers: &mut [Option<usize>], roots: Vec<usize>) {
    let mut queue: VecDeque<(usize, usize)> = roots.into_iter().map(|root| (root, 0)).collect();
    while let Some((index, layer)) = queue.pop_front() {
        match layers.get_mut(index) {
            Some(slot) if slot.is_none() => *slot = Some(layer),
            _ => continue,
        }
        let next = adjacent.get(index).into_iter().flatten();
        queue.extend(next.map(|next| (*next, layer + 1)));
    }
}

/// The boxes that are connected, and those that are not.
fn groups(graph: &Graph<'_>) -> (Vec<Vec<usize>>, Vec<usize>) {
    let adjacent = adjacent(graph, true);
    let mut seen: Vec<Option<usize>> = vec![None; graph.heights.len()];
    let (mut groups, mut singles) = (Vec::new(), Vec::new());
    for start in 0..graph.heights.len() {
        if at(&seen, start).is_some() {
            continue;
        }
        let before = seen.clone();
        spread(&adjacent, &mut seen, vec![start]);
        let group: Vec<usize> = (start..seen.len())
            .filter(|index| at(&seen, *index).is_some() && at(&before, *index).is_none())
            .collect();
        match group.as_slice() {
            [single] => singles.push(*single),
            _ => groups.push(group),
        }
    }
    (groups, singles)
}

/// A group being placed: its boxes, and a bend in each column that arrows to the same box cross.
#[derive(Default)]
struct Group {
    cells: Vec<Cell>,
    /// By column and box that they lead to.
    bends: HashMap<(usize, usize), usize>,
    /// For each arrow, its bends.
    routes: Vec<(usize, Vec<usize>)>,
}

impl Group {
    fn new(graph: &Graph<'_>, layers: &[usize], boxes: &[usize], bends_left: &mut usize) -> Group {
        let mut group = Group::default();
        let mut cell_of = vec![None; graph.heights.len()];
        for index in boxes {
            if let Some(slot) = cell_of.get_mut(*index) {
                *slot = Some(group.cells.len());
            }
            let (layer, height) = (at(layers, *index), at(graph.heights, *index));
            group.cells.push(Cell::new(Some(*index), layer, height));
        }
        for (edge, (from, to)) in graph.edges.iter().enumerate() {
            let ends = at(&cell_of, *from).zip(at(&cell_of, *to));
            let Some((first, last)) = ends.filter(|(first, last)| first != last) else {
                continue;
            };
            let crossed = crossed(at(layers, *from), at(layers, *to));
            let route = match crossed.len() <= *bends_left {
                true => crossed
                    .iter()
                    .map(|layer| group.bend(*layer, last))
                    .collect(),
                false => Vec::new(),
            };
            *bends_left -= route.len();
            group.join(first, &route, last);
            group.routes.push((edge, route));
        }
        group
    }

    fn bend(&mut self, layer: usize, to: usize) -> usize {
        if let Some(known) = self.bends.get(&(layer, to)) {
            return *known;
        }
        let bend = self.cells.len();
        self.cells.push(Cell::new(None, layer, BEND_HEIGHT));
        self.bends.insert((layer, to), bend);
        bend
    }

    /// Makes the cells on the way of an arrow neighbours.
    fn join(&mut self, first: usize, route: &[usize], last: usize) {
        let mut before = first;
        for next in route.iter().chain([&last]) {
            for (cell, neighbour) in [(before, *next), (*next, before)] {
                if let Some(cell) = self.cells.get_mut(cell) {
                    cell.neighbours.push(neighbour);
                }
            }
            before = *next;
        }
    }
}

impl Cell {
    fn new(index: Option<usize>, layer: usize, height: u32) -> Cell {
        Cell {
            index,
            layer,
            height,
            neighbours: Vec::new(),
            position: 0,
            y: 0,
        }
    }
}

/// The columns between two, in the direction of the arrow.
fn crossed(from: usize, to: usize) -> Vec<usize> {
    match from < to {
        true => (from + 1..to).collect(),
        false => (to + 1..from).rev().collect(),
    }
}

fn columns(cells: &mut [Cell]) -> Vec<Vec<usize>> {
    let count = cells.iter().map(|cell| cell.layer + 1).max().unwrap_or(0);
    let mut columns = vec![Vec::new(); count];
    for (index, cell) in cells.iter_mut().enumerate() {
        if let Some(column) = columns.get_mut(cell.layer) {
            column.push(index);
        }
    }
    for column in &columns {
        number(column, cells);
    }
    columns
}

/// Tells each cell of a column its position.
fn number(column: &[usize], cells: &mut [Cell]) {
    for (position, index) in (0..).zip(column) {
        if let Some(cell) = cells.get_mut(*index) {
            cell.position = position * SCALE;
        }
    }
}

/// Sorts each column by where the neighbours of its cells stand, forth and back.
fn sort_columns(columns: &mut [Vec<usize>], cells: &mut [Cell]) {
    for sweep in 0..SWEEPS {
        let count = columns.len();
        for step in 0..count {
            let layer = if sweep % 2 == 0 {
                step
            } else {
                count - 1 - step
            };
            let Some(column) = columns.get_mut(layer) else {
                continue;
            };
            column.sort_by_cached_key(|index| wanted_position(*index, cells));
            number(column, cells);
        }
    }
}

/// The mean of the positions of a cell's neighbours in other columns.
fn wanted_position(index: usize, cells: &[Cell]) -> u64 {
    let Some(cell) = cells.get(index) else {
        return 0;
    };
    let others: Vec<u64> = cell
        .neighbours
        .iter()
        .filter_map(|neighbour| cells.get(*neighbour))
        .filter(|neighbour| neighbour.layer != cell.layer)
        .map(|neighbour| neighbour.position)
        .collect();
    match others.len() as u64 {
        0 => cell.position,
        count => others.iter().sum::<u64>() / count,
    }
}

/// Gives a group its places, below what is there already.
fn place(graph: &Graph<'_>, columns: &[Vec<usize>], group: &mut Group, layout: &mut Layout) {
    let top = below(graph, layout);
    for column in columns {
        let mut free = top;
        for index in column {
            let wanted = wanted_y(*index, &group.cells);
            if let Some(cell) = group.cells.get_mut(*index) {
                cell.y = wanted.max(free);
                free = cell.y + cell.height + graph.gap_y;
            }
        }
    }
    for cell in &group.cells {
        match cell.index {
            Some(index) => layout.put(graph, index, (column_x(graph, cell.layer), cell.y)),
            None => layout.size.1 = layout.size.1.max(cell.y + cell.height),
        }
    }
    for (edge, route) in &group.routes {
        let cells = route.iter().filter_map(|bend| group.cells.get(*bend));
        let bends = cells.map(|cell| (column_x(graph, cell.layer), cell.y + cell.height / 2));
        if let Some(slot) = layout.bends.get_mut(*edge) {
            *slot = bends.collect();
        }
    }
}

/// Beside the neighbours in the column before, if there are any.
fn wanted_y(index: usize, cells: &[Cell]) -> u32 {
    let Some(cell) = cells.get(index) else {
        return 0;
    };
    let before: Vec<u32> = cell
        .neighbours
        .iter()
        .filter_map(|neighbour| cells.get(*neighbour))
        .filter(|neighbour| neighbour.layer + 1 == cell.layer)
        .map(|neighbour| neighbour.y)
        .collect();
    before.into_iter().min().unwrap_or(0)
}

fn column_x(graph: &Graph<'_>, layer: usize) -> u32 {
    let layer = u32::try_from(layer).unwrap_or(u32::MAX);
    (graph.width + graph.gap_x).saturating_mul(layer)
}

/// The first free line.
fn below(graph: &Graph<'_>, layout: &Layout) -> u32 {
    match layout.size.1 {
        0 => 0,
        height => height + 2 * graph.gap_y,
    }
}

impl Layout {
    fn put(&mut self, graph: &Graph<'_>, index: usize, corner: (u32, u32)) {
        if let Some(slot) = self.corners.get_mut(index) {
            *slot = corner;
        }
        let (width, height) = self.size;
        self.size = (
            width.max(corner.0 + graph.width),
            height.max(corner.1 + at(graph.heights, index)),
        );
    }
}

/// Boxes without arrows stand side by side, in as many columns as the rest has, at least three.
fn place_singles(graph: &Graph<'_>, singles: &[usize], layout: &mut Layout) {
    let used = layout.layers.iter().max().map_or(0, |last| last + 1);
    for row in singles.chunks(used.max(3)) {
        let y = below(graph, layout);
        for (layer, index) in row.iter().enumerate() {
            layout.put(graph, *index, (column_x(graph, layer), y));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laid_out(count: usize, ranks: &[u32], edges: &[(usize, usize)]) -> Layout {
        lay_out(&Graph {
            heights: &vec![50; count],
            ranks,
            edges,
            width: 100,
            gap_x: 20,
            gap_y: 10,
        })
    }

    #[test]
    fn columns_are_distances_from_what_nothing_leads_to() {
        let layout = laid_out(4, &[0; 4], &[(1, 0), (0, 2), (2, 0), (1, 2)]);
        assert_eq!(layout.layers, [1, 0, 1, 0]);
        assert_eq!(layout.corners, [(120, 0), (0, 0), (120, 60), (0, 130)]);
        assert_eq!(layout.size, (220, 180));
    }

    #[test]
    fn a_circle_begins_at_its_lowest_rank() {
        let layout = laid_out(3, &[7, 1, 7], &[(0, 1), (1, 2), (2, 0)]);
        assert_eq!(layout.layers, [2, 0, 1]);
        // The arrow back to the first column bends where it passes the second.
        assert_eq!(layout.bends, [vec![(120, 65)], vec![], vec![]]);
    }

    #[test]
    fn arrows_to_the_same_box_bend_together() {
        let layout = laid_out(4, &[0, 1, 2, 3], &[(0, 1), (1, 2), (1, 3), (2, 0), (3, 0)]);
        assert_eq!(layout.layers, [0, 1, 2, 2]);
        assert_eq!(layout.bends[3], layout.bends[4]);
        assert_eq!(layout.bends[3].len(), 1);
    }

    #[test]
    fn no_two_boxes_overlap() {
        let edges: Vec<(usize, usize)> = (0..60).map(|i| (i, (i * 7 + 3) % 60)).collect();
        let layout = laid_out(64, &[0; 64], &edges);
        for (index, one) in layout.corners.iter().enumerate() {
            for other in &layout.corners[..index] {
                let apart = one.0.abs_diff(other.0) >= 100 || one.1.abs_diff(other.1) >= 50;
                assert!(apart, "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        assert_eq!(laid_out(0, &[], &[]), Layout::default());
    }
}
