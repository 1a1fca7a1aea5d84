//! Ctrl-C leaves nothing behind but what is whole.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::client::{Image, assert_as_from_disk, enoexec_with, image, recipe, registry};
use crate::server::{Fate, Server};

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Pulls `app:1` with a cache and a folder for temporary files of its own, and presses Ctrl-C when `pressed` returns; what is left.
fn interrupted(server: &Server, scratch: &Path, pressed: impl FnOnce()) -> Vec<PathBuf> {
    let cache = scratch.join("cache");
    let mut command = Command::new(env!("CARGO_BIN_EXE_enoexec"));
    command.args(["check", "--retries=0", &format!("{}/acme/app:1", server.address)]).env_clear().env("ENOEXEC_CACHE", &cache);
    command.env("HOME", scratch).env("TMPDIR", scratch).current_dir(scratch).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    pressed();
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    child.wait().unwrap();
    let left = files(scratch);
    assert!(left.iter().all(|path| path.starts_with(&cache)), "{left:?}");
    let is_begun = |path: &&PathBuf| path.file_name().unwrap().as_encoded_bytes().starts_with(b".");
    assert_eq!(left.iter().find(is_begun), None);
    left
}

/// What was left is of use to the next run, and does it no harm.
fn goes_on(image: &Image, scratch: &Path, server: &Server) {
    let run = enoexec_with(&["check", "--format=json", &format!("{}/acme/app:1", server.address)], |command| {
        command.env_remove("ENOEXEC_NO_CACHE").env("ENOEXEC_CACHE", scratch.join("cache"));
    });
    assert_as_from_disk(image, &run, "after Ctrl-C");
}

#[test]
fn in_the_midst_of_a_pull() {
    let image = image(300_000);
    let scratch = tempfile::tempdir().unwrap();
    let (tell, told) = mpsc::channel();
    let (tell, own) = (Mutex::new(tell), Arc::clone(&image));
    let server = registry(&image, move |request| {
        own.is_layer(request, 1).then(|| {
            let _ = tell.lock().unwrap().send(());
            own.answer(request).but(Fate::Drip)
        })
    });
    let left = interrupted(&server, scratch.path(), || {
        told.recv().unwrap();
        thread::sleep(Duration::from_millis(100));
    });
    // The lower layer, at most.
    assert!(left.len() <= 1, "{left:?}");
    goes_on(&image, scratch.path(), &registry(&image, |_| None));
}

/// An image whose layers have indexes that take time and room.
fn of_many_programs() -> Arc<Image> {
    let programs: Vec<String> = (0..3000).map(|n| format!("{{path = \"/bin/{n}\", elf = \"aarch64\"}}")).collect();
    let programs = programs.join(", ");
    recipe(&format!(
        "config = \"linux/arm64\"\nentrypoint = [\"/bin/1\"]\n[[layer]]\nfiles = [{programs}]\n\
         [[layer]]\nfiles = [{programs}, {{path = \"/etc/x\", text = \"x\"}}]\n"
    ))
}

#[test]
fn when_one_layer_is_in_the_cache_and_the_next_is_not() {
    let image = of_many_programs();
    let server = registry(&image, |_| None);
    for round in 0..5 {
        let scratch = tempfile::tempdir().unwrap();
        let left = interrupted(&server, scratch.path(), || {
            let began = Instant::now();
            while files(&scratch.path().join("cache")).is_empty() {
                assert!(began.elapsed() < Duration::from_secs(30), "no run came as far as to the cache");
            }
            thread::sleep(Duration::from_millis(round * 2));
        });
        assert!(!left.is_empty());
        goes_on(&image, scratch.path(), &server);
    }
}

/// A limit on the size of files ends the process by a signal with the first bytes of the index written: the moment that no press of
/// a key would hit for sure.
#[test]
fn in_the_midst_of_a_write_to_the_cache() {
    let image = of_many_programs();
    let server = registry(&image, |_| None);
    let scratch = tempfile::tempdir().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -f 1; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_enoexec"), "check"]);
    command.arg(format!("{}/acme/app:1", server.address)).env_clear().env("ENOEXEC_CACHE", scratch.path().join("cache"));
    command.env("HOME", scratch.path()).env("TMPDIR", scratch.path()).stdout(Stdio::null()).stderr(Stdio::null());
    let status = command.status().unwrap();
    assert_eq!(status.signal(), Some(Signal::XFSZ.as_raw()), "{status}");
    assert_eq!(files(scratch.path()), Vec::<PathBuf>::new());
    goes_on(&image, scratch.path(), &server);
}
