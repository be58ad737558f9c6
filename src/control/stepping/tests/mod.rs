//! Steps through made-up programs, without a debugger: what is told must be what the program does.

// All numbers here are small.
#![allow(clippy::cast_possible_truncation)]

mod program;
mod target;

use super::goal::Goal;
use super::machine::Order;
use program::Program;
use target::{Debugger, Visit};

/// Programs that are tried; each is another random one.
const PROGRAMS: u64 = 60;

fn order(goal: Goal, over: bool, single: bool) -> Order {
    Order {
        goal,
        over,
        quiet: false,
        single,
    }
}

#[test]
fn each_uop_is_visited_in_order_step_by_step_and_in_stretches() {
    let mut visits = 0;
    let mut below = 0;
    for seed in 0..PROGRAMS {
        let program = Program::random(seed);
        let truth = program.visits();
        for single in [true, false] {
            let count = truth.len() as u64;
            let mut debugger = Debugger::new(&program);
            let told = debugger.step(order(Goal::Uops(count), false, single));
            let expected: Vec<String> = truth.iter().map(Visit::text).collect();
            assert_eq!(told, expected, "program {seed}, single {single}");
        }
        visits += truth.len();
        below += truth.iter().filter(|visit| visit.depth > 0).count();
    }
    assert!(visits > 10_000 && below > 1_000, "{visits} {below}");
}

#[test]
fn pieces_make_up_the_whole() {
    for seed in 0..PROGRAMS {
        let program = Program::random(seed);
        let truth = program.visits();
        let mut debugger = Debugger::new(&program);
        let mut at = 0;
        for count in [1, 2, 3, 5, 8, 13, 21, 34, 55] {
            if at + count > truth.len() {
                break;
            }
            let told = debugger.step(order(Goal::Uops(count as u64), false, false));
            let expected: Vec<String> = truth[at..at + count].iter().map(Visit::text).collect();
            assert_eq!(told, expected, "program {seed} from {at}");
            at += count;
        }
    }
}

#[test]
fn other_python_code_is_stepped_over() {
    let mut passed = 0;
    for seed in 0..PROGRAMS {
        let program = Program::random(seed);
        let truth = program.visits();
        let flat: Vec<&Visit> = truth.iter().filter(|visit| visit.depth == 0).collect();
        passed += truth.len() - flat.len();
        for single in [true, false] {
            let mut debugger = Debugger::new(&program);
            let goal = Goal::Uops(flat.len() as u64);
            let told = debugger.step(order(goal, true, single));
            let expected: Vec<String> = flat.iter().map(|visit| visit.text()).collect();
            assert_eq!(told, expected, "program {seed}, single {single}");
        }
    }
    assert!(passed > 1_000, "{passed}");
}

#[test]
fn leaving_ends_where_the_first_activation_is_left() {
    for seed in 0..PROGRAMS {
        let program = Program::random(seed);
        let truth = program.visits();
        let mut debugger = Debugger::new(&program);
        debugger.step(order(Goal::Uops(1), false, false));
        debugger.step(order(Goal::Leave, true, false));
        let mut left = truth.iter().filter(|visit| visit.uop.is_none());
        let first = left.find(|visit| visit.depth == 0).expect("it is left");
        assert_eq!(debugger.at(), first.at, "program {seed}");
    }
}
