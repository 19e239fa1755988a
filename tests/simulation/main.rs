//! Both ends as they are, in a world that loses, delays and kills, from a seed.
//!
//! `cargo test --release -p tests --test simulation -- --seconds 120`. A seed that fails is printed
//! with the command that plays it again.

#![allow(clippy::disallowed_methods, reason = "how long it may take is of the real clock")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "it has no test harness to report for it")]

mod faults;
mod judgement;
mod model;
mod places;
mod random;
mod relay;
mod rules;
mod secrets;
mod shim;
mod stops;
mod tally;
mod wires;
mod world;

use std::{
    panic,
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rules::Rule;
use tally::Tally;

/// Without options: as many as do not slow a test run down.
const FEW: u64 = 60;
/// Seeds within which a rule that was taken away has to be missed.
const MISSED_WITHIN: u64 = 20_000;

#[derive(Debug, Default)]
struct Options {
    seeds: Option<u64>,
    seconds: Option<u64>,
    from: u64,
    seed: Option<u64>,
    ablate: Option<Rule>,
}

fn options() -> Result<Options, String> {
    let mut options = Options::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || -> Result<u64, String> {
            let value = arguments.next().ok_or(format!("{argument} needs a number"))?;
            value.parse().map_err(|_| format!("{value} is not a number"))
        };
        match argument.as_str() {
            "--seeds" => options.seeds = Some(number()?),
            "--seconds" => options.seconds = Some(number()?),
            "--from" => options.from = number()?,
            "--seed" => options.seed = Some(number()?),
            "--ablate" => {
                let name = arguments.next().unwrap_or_default();
                options.ablate = Some(Rule::named(&name).ok_or(format!("no rule {name}"))?);
            }
            // What `cargo test` passes on to every test program.
            _ => {}
        }
    }
    Ok(options)
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(error) => {
            eprintln!("simulation: {error}");
            return ExitCode::from(2);
        }
    };
    if let Some(seed) = options.seed {
        world::play(seed, options.ablate, true);
        println!("seed {seed} keeps every promise");
        return ExitCode::SUCCESS;
    }
    let plain = options.seeds.is_none() && options.seconds.is_none();
    let seeds = options.seeds.unwrap_or(if plain { FEW } else { u64::MAX });
    let until = options.seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    panic::set_hook(Box::new(|_| {}));
    let outcome = run(options.from, seeds, until, options.ablate);
    report(&outcome, options.ablate);
    let mut well = outcome.failed.is_none();
    if plain {
        for rule in Rule::ALL {
            let outcome = run(0, MISSED_WITHIN, None, Some(rule));
            match outcome.failed {
                Some((seed, why)) => println!("without {rule:?}: seed {seed} fails: {why}"),
                None => {
                    println!("without {rule:?}: nothing fails in {MISSED_WITHIN} seeds");
                    well = false;
                }
            }
        }
    }
    println!("{} passed, {} failed", u8::from(well), u8::from(!well));
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[derive(Debug, Default)]
struct Outcome {
    played: u64,
    tally: Tally,
    failed: Option<(u64, String)>,
}

fn run(from: u64, seeds: u64, until: Option<Instant>, rule: Option<Rule>) -> Outcome {
    let next = AtomicU64::new(from);
    let stop = AtomicBool::new(false);
    let outcome = Mutex::new(Outcome::default());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) && until.is_none_or(|at| Instant::now() < at) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed - from >= seeds {
                        break;
                    }
                    let played = panic::catch_unwind(|| world::play(seed, rule, false));
                    let mut outcome = outcome.lock().unwrap();
                    outcome.played += 1;
                    match played {
                        Ok(tally) => outcome.tally.add(tally),
                        Err(why) => {
                            stop.store(true, Ordering::Relaxed);
                            let first = outcome.failed.as_ref().map_or(u64::MAX, |(seed, _)| *seed);
                            if seed < first {
                                outcome.failed = Some((seed, text(&*why)));
                            }
                        }
                    }
                }
            });
        }
    });
    outcome.into_inner().unwrap()
}

fn text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

fn report(outcome: &Outcome, rule: Option<Rule>) {
    let tally = &outcome.tally;
    println!(
        "{} seeds: {} relays and {} shims killed, {} relays and {} shims stopped, {} suspends, {} \
         connections cut, {} clocks set, {} keys lost, {} sessions claimed by others, {} messages \
         passed on, {} tasks told",
        outcome.played,
        tally.relay_kills,
        tally.shim_kills,
        tally.relay_stops,
        tally.shim_stops,
        tally.suspends,
        tally.cuts,
        tally.clock_jumps,
        tally.keys_lost,
        tally.impostors,
        tally.deliveries,
        tally.tasks,
    );
    if let Some((seed, why)) = &outcome.failed {
        let ablate = rule.map(|rule| format!(" --ablate {rule:?}")).unwrap_or_default();
        println!("seed {seed} breaks a promise: {why}");
        println!("cargo test --release -p tests --test simulation -- --seed {seed}{ablate}");
    }
}
