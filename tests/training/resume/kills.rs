//! Trainings in programs that are killed.
//!
//! The test starts itself as a child, which trains, and kills it (on Unix by SIGKILL) after a time drawn at
//! random: each run twice, then it may come to its end. `KERAS_KILLED_RUNS` says how many runs there are.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use keras::prelude::*;
use keras::random::{Key, fresh_seed};
use ndarray::ArrayD;

use super::cases::{CASES, Case, Interrupt, train};
use super::{Directory, Left};

/// The directory that a child works in.
const CHILD: &str = "KERAS_RESUME_CHILD";

/// The runs of a test; few unless the environment says otherwise.
pub fn runs() -> usize {
    let runs = std::env::var("KERAS_KILLED_RUNS").ok();
    runs.and_then(|runs| runs.parse().ok()).unwrap_or(5)
}

/// The directory of this program, if it is a child.
pub fn directory_of_child() -> Option<PathBuf> {
    std::env::var_os(CHILD).map(PathBuf::from)
}

/// The command that starts one test of this program as a child.
pub fn child(test: &str, directory: &Path) -> Command {
    let program = std::env::current_exe().expect("a program");
    let mut command = Command::new(program);
    command
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

/// Kills a child after some time, unless it has come to its end before; says how it ended.
pub fn kill_after(mut child: Child, time: Duration) -> ExitStatus {
    std::thread::sleep(time);
    child.kill().expect("a child");
    child.wait().expect("a child")
}

/// Whether a child came to its end by itself. One that failed fails the test.
pub fn is_done(status: ExitStatus) -> bool {
    assert_ne!(status.code(), Some(101), "the child failed: see above");
    status.success()
}

fn case_of(directory: &Path) -> Case {
    let name = fs::read_to_string(directory.join("case")).expect("a case");
    let mut cases = CASES.iter();
    let case = cases.find(|case| format!("{case:?}") == name);
    *case.expect("a case of this name")
}

const TEST: &str = "resume::kills::a_training_that_is_killed_at_any_moment_ends_as_if_it_was_not";

/// By default 5 runs are killed twice each; 200 were tried: `KERAS_KILLED_RUNS=200`.
#[test]
fn a_training_that_is_killed_at_any_moment_ends_as_if_it_was_not() -> keras::Result<()> {
    if let Some(directory) = directory_of_child() {
        let mut never = Interrupt::after(usize::MAX);
        let result = train(case_of(&directory), &directory, &mut never)?;
        fs::write(directory.join("result.new"), result).expect("a file");
        fs::rename(directory.join("result.new"), directory.join("result")).expect("a file");
        return Ok(());
    }
    let directory = Directory::new("kills");
    let begin = |case: Case| {
        directory.clear();
        fs::write(directory.0.join("case"), format!("{case:?}")).expect("a file");
    };
    let start = || child(TEST, &directory.0).spawn().expect("a child");
    let result = || fs::read_to_string(directory.0.join("result")).expect("a result");
    let expected = CASES.iter().map(|&case| {
        begin(case);
        let now = Instant::now();
        assert!(is_done(start().wait().expect("a child")));
        let left = Left::in_directory(&directory.0);
        (case, now.elapsed(), result(), left)
    });
    let mut expected: Vec<_> = expected.collect();
    let seed = fresh_seed();
    let (key, mut draws, mut kills) = (Key::new(seed), 0, 0);
    for run in 0..runs() {
        let case = run % expected.len();
        let (case, time, expected, expected_left) = &mut expected[case];
        begin(*case);
        let mut is_over = false;
        for _ in 0..2 {
            draws += 1;
            let status = kill_after(start(), time.mul_f64(key.uniform(draws)));
            is_over = is_done(status);
            if is_over {
                // The first run was slower, as other tests ran beside it.
                *time /= 2;
                break;
            }
            kills += 1;
        }
        is_over = is_over || is_done(start().wait().expect("a child"));
        assert!(is_over, "run {run} with the seed {seed}");
        assert_eq!(
            &result(),
            expected,
            "{case:?}, run {run} with the seed {seed}"
        );
        let left = Left::in_directory(&directory.0);
        assert_eq!(
            &left, expected_left,
            "{case:?}, run {run} with the seed {seed}"
        );
    }
    println!("{} runs, {kills} kills, the seed {seed}", runs());
    assert!(kills > 0, "nothing was killed");
    Ok(())
}

sequential! {
    Large<200>;
    Dense(400),
    Dense(10),
}

/// The number that all weights are, if they are one.
fn number(model: &Large) -> Option<f32> {
    let weights = model.get_weights();
    let mut all = weights.iter().flatten();
    let first = *all.next()?;
    all.all(|&weight| weight == first).then_some(first)
}

fn set_number(model: &mut Large, number: f32) -> keras::Result<()> {
    let weights = model.get_weights().into_iter();
    let weights = weights.map(|weight| ArrayD::from_elem(weight.raw_dim(), number));
    model.set_weights(&weights.collect::<Vec<_>>())
}

const SAVES: &str = "resume::kills::a_save_that_is_killed_leaves_the_old_file_or_the_new_one";

/// By default 10 saves are killed; 400 were tried: `KERAS_KILLED_RUNS=200`.
#[test]
fn a_save_that_is_killed_leaves_the_old_file_or_the_new_one() -> keras::Result<()> {
    let files = |directory: &Path| {
        (
            directory.join("model.keras"),
            directory.join("model.weights.h5"),
        )
    };
    if let Some(directory) = directory_of_child() {
        let (whole, weights) = files(&directory);
        let mut model = Large::with_seed(1);
        model.load_weights(&weights)?;
        loop {
            let next = number(&model).unwrap_or(f32::NAN) + 1.0;
            set_number(&mut model, next)?;
            model.save(&whole)?;
            model.save_weights(&weights)?;
            if directory.join("once").exists() {
                return Ok(());
            }
        }
    }
    let directory = Directory::new("saves");
    let (whole, weights) = files(&directory.0);
    let mut model = Large::with_seed(1);
    set_number(&mut model, 0.0)?;
    model.save(&whole)?;
    model.save_weights(&weights)?;
    let key = Key::new(fresh_seed());
    let (mut last, mut new) = (0.0, 0);
    for run in 0..2 * runs() {
        let child = child(SAVES, &directory.0).spawn().expect("a child");
        let time = Duration::from_secs_f64(0.02 + 0.1 * key.uniform(run as u64));
        assert!(!is_done(kill_after(child, time)));
        let of_whole = number(&Large::load(&whole)?);
        model.load_weights(&weights)?;
        let of_weights = number(&model);
        // The whole model is written first.
        let (Some(whole), Some(weights)) = (of_whole, of_weights) else {
            panic!("run {run}: a file with parts of two models");
        };
        assert!(
            whole == weights || whole == weights + 1.0,
            "{whole} and {weights}"
        );
        assert!(weights >= last, "{weights} after {last}");
        new += usize::from(weights > last);
        last = weights;
    }
    assert!(new > 0, "no child came as far as to its first file");
    // The next program to write there removes what is left of the others.
    fs::write(directory.0.join("once"), "").expect("a file");
    let status = child(SAVES, &directory.0).status().expect("a child");
    assert!(is_done(status));
    let names = fs::read_dir(&directory.0).expect("the directory");
    let names = names.map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<_> = names.collect();
    names.sort();
    assert_eq!(names, ["model.keras", "model.weights.h5", "once"]);
    Ok(())
}
