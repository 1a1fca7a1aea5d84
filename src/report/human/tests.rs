use snapbox::{assert_data_eq, str};

use crate::exec::{Cause, Doubt, Outcome, Role, Trace};
use crate::finding::GuestLocus;
use crate::image::Errno;
use crate::report::{ImageReport, Report, TargetReport, sample};

use super::{HumanOptions, human};

fn styled(report: &Report, options: HumanOptions) -> String {
    let mut out = Vec::new();
    human(report, options, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn plain(report: &Report, options: HumanOptions) -> String {
    anstream::adapter::strip_str(&styled(report, options)).to_string()
}

fn one(image: ImageReport) -> Report {
    Report { targets: vec![sample::target("app.tar", vec![image])], findings: Vec::new(), ..Report::default() }
}

const PLAIN: HumanOptions = HumanOptions { quiet: false, verbose: false, facts: false, width: Some(100) };
const VERBOSE: HumanOptions = HumanOptions { verbose: true, ..PLAIN };
const QUIET: HumanOptions = HumanOptions { quiet: true, ..PLAIN };
const FACTS: HumanOptions = HumanOptions { facts: true, ..PLAIN };

#[test]
fn a_finding_tells_the_story_of_the_start() {
    assert_data_eq!(
        plain(&sample::wrong_machine(), PLAIN),
        str![[r#"
error[EX101]: /bin/sh is built for x86_64 (64-bit, little-endian), but linux/arm64 nodes cannot run it
  --> app.tar (linux/arm64), layer 3, step 5: COPY --from=build /out/dash /usr/bin/dash
   |
   | docker-entrypoint.sh → /usr/local/bin/docker-entrypoint.sh  script  layer 2
   | └─ /bin/sh → /usr/bin/dash  ELF x86_64 executable, dynamically linked  layer 3
   |    ^^^^^^^^^^^^^^^^^^^^^^^ exec format error (ENOEXEC)
   |
   = runtime prints: exec docker-entrypoint.sh: exec format error
   = help: build for the node: `docker buildx build --platform linux/arm64 .`, and copy no file from
           a stage or host of another machine

1 error in 1 image
more about it: enoexec explain EX101

"#]]
    );
}

#[test]
fn a_narrow_terminal_cuts_steps_and_fills_texts() {
    assert_data_eq!(
        plain(&sample::wrong_machine(), HumanOptions { width: Some(70), ..PLAIN }),
        str![[r#"
error[EX101]: /bin/sh is built for x86_64 (64-bit, little-endian), but linux/arm64 nodes cannot run it
  --> app.tar (linux/arm64), layer 3, step 5: COPY --from=build /out/…
   |
   | docker-entrypoint.sh → /usr/local/bin/docker-entrypoint.sh  script  layer 2
   | └─ /bin/sh → /usr/bin/dash  ELF x86_64 executable, dynamically linked  layer 3
   |    ^^^^^^^^^^^^^^^^^^^^^^^ exec format error (ENOEXEC)
   |
   = runtime prints: exec docker-entrypoint.sh: exec format error
   = help: build for the node:
           `docker buildx build --platform linux/arm64 .`, and copy no
           file from a stage or host of another machine

1 error in 1 image
more about it: enoexec explain EX101

"#]]
    );
}

#[test]
fn a_clean_image_takes_one_line() {
    let image = ImageReport { verdicts: vec![sample::runs("linux/arm64")], ..sample::image("linux/arm64") };
    assert_data_eq!(
        plain(&one(image.clone()), PLAIN),
        str![[r#"
ok  app.tar  linux/arm64  /app runs on linux/arm64 (4 layers)

"#]]
    );
    assert_data_eq!(
        plain(&one(image.clone()), VERBOSE),
        str![[r#"
ok  app.tar  linux/arm64  /app runs on linux/arm64 (4 layers)
   |
   | /app  ELF aarch64 executable, dynamically linked  layer 3: COPY --from=build /out/dash /usr/bi…
   | └─ /lib/ld-linux-aarch64.so.1 → /usr/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1  ELF aarch64 shared library  layer 0
   |

linux/arm64
 layer   digest         build step
──────────────────────────────────────────────────────────────────
     0   5feceb66ffc8   ADD file:3d1f8d5c in /
     1   6b86b273ff34   RUN pip install numpy
     2   d4735e3a265e   COPY docker-entrypoint.sh /usr/local/bin/
     3   4e07408562be   COPY --from=build /out/dash /usr/bin/dash

"#]]
    );
    assert_eq!(plain(&one(image), QUIET), "");
}

#[test]
fn several_images_on_several_nodes_make_a_matrix() {
    assert_data_eq!(
        plain(&sample::index(), PLAIN),
        str![[r#"
ok        oci:dist  linux/arm64  /app runs on linux/arm64 (102 aarch64 programs and 1 arm program in 4 layers)
unsure    oci:dist  linux/amd64  cannot tell whether the command starts on linux/amd64: there is no config that says what is started
emulated  oci:dist  linux/s390x  /app runs on linux/s390x,binfmt=amd64 under qemu-s390x
oci:dist  linux/s390x  read 3.1 MiB of 120.4 MiB (2.6 %) for the start alone; layers 0 and 1 not looked into; layer 2 by their tables of contents, not verified as a whole; other files not judged

 image         linux/arm64   linux/amd64          linux/s390x,binfmt=amd64
───────────────────────────────────────────────────────────────────────────
 linux/arm64   runs          not pulled           not pulled
 linux/amd64   not pulled    unsure (no-config)   not pulled
 linux/s390x   not pulled    not pulled           emulated by qemu-s390x

no findings in 3 images

"#]]
    );
}

#[test]
fn verbose_names_what_is_no_image() {
    let text = plain(&sample::index(), VERBOSE);
    assert!(text.contains("\nskipped chart: no image but application/vnd.cncf.helm.config.v1+json\n"), "{text}");
    assert!(!plain(&sample::index(), PLAIN).contains("skipped"));
}

#[test]
fn everything_at_once_stays_readable() {
    assert_data_eq!(
        plain(&sample::rich(), VERBOSE),
        str![[r#"
error[EX101]: /bin/sh is built for x86_64 (64-bit, little-endian), but linux/arm64 nodes cannot run it
  --> app.tar (linux/arm64, app:latest), layer 3, step 5: COPY --from=build /out/dash /usr/bin/dash
   |
   | docker-entrypoint.sh → /usr/local/bin/docker-entrypoint.sh  script  layer 2
   | └─ /bin/sh → /usr/bin/dash  ELF x86_64 executable, dynamically linked  layer 3
   |    ^^^^^^^^^^^^^^^^^^^^^^^ exec format error (ENOEXEC)
   |
   = runtime prints: exec docker-entrypoint.sh: exec format error
   = help: build for the node: `docker buildx build --platform linux/arm64 .`, and copy no file from
           a stage or host of another machine
   = fingerprint: 08b7ad609e04a5e7

warning[EX131]: /usr/lib/python3/dist-packages/numpy.so is a Python library for x86_64, but the image is for linux/arm64
  --> app.tar (linux/arm64, app:latest), layer 1, step 3: RUN pip install numpy
   |
   = note: likely, not certain
   = help: install or build it for linux/arm64
   = fingerprint: 5ae1b58623cd08b5

linux/arm64 app:latest
 layer   digest         aarch64   arm   x86_64   build step
───────────────────────────────────────────────────────────────────────────────────────────
     0   5feceb66ffc8       310                  ADD file:3d1f8d5c in /
     1   6b86b273ff34        21     2            RUN pip install numpy
     2   d4735e3a265e                            COPY docker-entrypoint.sh /usr/local/bin/
     3   4e07408562be                        1   COPY --from=build /out/dash /usr/bin/dash

error: gone.tar: No such file or directory (os error 2)

1 error, 1 warning in 1 image; 1 target could not be looked at
more about it: enoexec explain EX101

"#]]
    );
}

#[test]
fn quiet_prints_findings_and_what_could_not_be_looked_at() {
    assert_data_eq!(
        plain(&sample::rich(), QUIET),
        str![[r#"
error[EX101]: /bin/sh is built for x86_64 (64-bit, little-endian), but linux/arm64 nodes cannot run it
  --> app.tar (linux/arm64, app:latest), layer 3, step 5: COPY --from=build /out/dash /usr/bin/dash
   |
   | docker-entrypoint.sh → /usr/local/bin/docker-entrypoint.sh  script  layer 2
   | └─ /bin/sh → /usr/bin/dash  ELF x86_64 executable, dynamically linked  layer 3
   |    ^^^^^^^^^^^^^^^^^^^^^^^ exec format error (ENOEXEC)
   |
   = runtime prints: exec docker-entrypoint.sh: exec format error
   = help: build for the node: `docker buildx build --platform linux/arm64 .`, and copy no file from
           a stage or host of another machine

warning[EX131]: /usr/lib/python3/dist-packages/numpy.so is a Python library for x86_64, but the image is for linux/arm64
  --> app.tar (linux/arm64, app:latest), layer 1, step 3: RUN pip install numpy
   |
   = note: likely, not certain
   = help: install or build it for linux/arm64

error: gone.tar: No such file or directory (os error 2)

"#]]
    );
}

#[test]
fn facts_come_without_verdict() {
    let report = Report { findings: Vec::new(), ..sample::rich() };
    assert_data_eq!(
        plain(&report, FACTS),
        str![[r#"
app.tar

linux/arm64 app:latest
  digest    sha256:7902699be42c8a8e46fbbb4501726517e86b22c56a189f7625a6da49081b2451
  platform  index entry says linux/arm64, config says linux/arm64
  starts    docker-entrypoint.sh 'serve it'  in / as root

 layer   digest         aarch64   arm   x86_64   build step
───────────────────────────────────────────────────────────────────────────────────────────
     0   5feceb66ffc8       310                  ADD file:3d1f8d5c in /
     1   6b86b273ff34        21     2            RUN pip install numpy
     2   d4735e3a265e                            COPY docker-entrypoint.sh /usr/local/bin/
     3   4e07408562be                        1   COPY --from=build /out/dash /usr/bin/dash

on linux/arm64: ENOEXEC (wrong-machine): exec docker-entrypoint.sh: exec format error
   |
   | docker-entrypoint.sh → /usr/local/bin/docker-entrypoint.sh  script  layer 2
   | └─ /bin/sh → /usr/bin/dash  ELF x86_64 executable, dynamically linked  layer 3
   |    ^^^^^^^^^^^^^^^^^^^^^^^ exec format error (ENOEXEC)
   |

 exec          node          outcome
─────────────────────────────────────────────────────
 /bin/cr/xff   linux/arm64   SIGSEGV (malformed-elf)

 file                                  layer   kind                    interpreter
───────────────────────────────────────────────────────────────────────────────────────────────────
 /usr/bin/dash                         3       elf x86_64 executable   /lib64/ld-linux-x86-64.so.2
 /usr/local/bin/docker-entrypoint.sh   2       script                  /bin/sh

error: gone.tar: No such file or directory (os error 2)

"#]]
    );
}

#[test]
fn a_missing_loader_is_underlined_where_it_is_named() {
    let hops = vec![
        sample::hop("/app", Some("/app"), 3, Role::Program, Some("ELF aarch64 executable, dynamically linked")),
        sample::hop("/lib/ld-linux-aarch64.so.1", None, 0, Role::Loader, None),
    ];
    let trace = Trace::new(hops, Outcome::Fails { errno: Errno::ENOENT, cause: Cause::InterpreterMissing });
    let verdict = sample::verdict("linux/arm64", trace, Some("exec /app: no such file or directory"));
    let place = GuestLocus {
        path: Some("/app".into()),
        layer: Some(3),
        node: Some("linux/arm64".into()),
        ..sample::arm64_place("app.tar")
    };
    let image = ImageReport { verdicts: vec![verdict], ..sample::image("linux/arm64") };
    let found = sample::finding("interpreter-missing", place, "/lib/ld-linux-aarch64.so.1 does not exist in the image");
    assert_data_eq!(
        plain(&Report { findings: vec![found], ..one(image) }, PLAIN),
        str![[r#"
error[EX111]: /lib/ld-linux-aarch64.so.1 does not exist in the image
  --> app.tar (linux/arm64), layer 3, step 5
   |
   | /app                           ELF aarch64 executable, dynamically linked  layer 3
   | └─ /lib/ld-linux-aarch64.so.1  not found
   |    ^^^^^^^^^^^^^^^^^^^^^^^^^^ no such file or directory (ENOENT)
   |
   = runtime prints: exec /app: no such file or directory

1 error in 1 image
more about it: enoexec explain EX111

"#]]
    );
}

#[test]
fn the_story_is_that_of_the_right_image() {
    let fails = |node: &str, layer| {
        let hops = vec![sample::hop("/app", Some("/app"), layer, Role::Program, Some("empty"))];
        let trace = Trace::new(hops, Outcome::Fails { errno: Errno::ENOEXEC, cause: Cause::EmptyFile });
        ImageReport { verdicts: vec![sample::verdict(node, trace, None)], ..sample::image(node) }
    };
    let target = sample::target("app.tar", vec![fails("linux/amd64", 1), fails("linux/arm64", 2)]);
    let path = Some("/app".into());
    let place = GuestLocus { layer: Some(2), node: Some("linux/arm64".into()), path, ..sample::arm64_place("app.tar") };
    let found = sample::finding("empty-file", place, "/app is empty");
    let text = plain(&Report { targets: vec![target], findings: vec![found], ..Report::default() }, QUIET);
    assert!(text.contains("layer 2: COPY docker-entrypoint.sh") && !text.contains("layer 1"), "{text}");
}

#[test]
fn two_images_for_one_platform_are_told_apart_by_their_names() {
    let fails = |name: &str, layer| {
        let hops = vec![sample::hop("/app", Some("/app"), layer, Role::Program, Some("empty"))];
        let trace = Trace::new(hops, Outcome::Fails { errno: Errno::ENOEXEC, cause: Cause::EmptyFile });
        let mut report =
            ImageReport { verdicts: vec![sample::verdict("linux/arm64", trace, None)], ..sample::image("linux/arm64") };
        report.image.names = vec![name.to_owned()];
        report
    };
    let target = sample::target("app.tar", vec![fails("app:1", 2), fails("app:2", 2)]);
    let place = GuestLocus {
        name: Some("app:2".into()),
        layer: Some(2),
        path: Some("/app".into()),
        node: Some("linux/arm64".into()),
        ..sample::arm64_place("app.tar")
    };
    let found = sample::finding("empty-file", place, "/app is empty");
    let text = plain(&Report { targets: vec![target], findings: vec![found], ..Report::default() }, QUIET);
    assert!(text.contains("app:2") && !text.contains("app:1"), "{text}");
}

#[test]
fn a_start_that_cannot_be_told_is_never_called_ok() {
    let trace = Trace::new(Vec::new(), Outcome::Unsure { because: Doubt::LayerUnread });
    let image = ImageReport { verdicts: vec![sample::verdict("linux/arm64", trace, None)], ..sample::image("linux/arm64") };
    assert_data_eq!(
        plain(&one(image), PLAIN),
        str![[r#"
unsure  app.tar  linux/arm64  cannot tell whether the command starts on linux/arm64: a layer could not be read whole, and the file may be in it

"#]]
    );
    assert_data_eq!(
        plain(&one(ImageReport { partial: true, ..ImageReport::default() }), PLAIN),
        str![[r#"
unsure  app.tar  unknown platform  neither its documents nor its files tell which platform it is for: name one with --node

"#]]
    );
}

#[test]
fn an_image_with_warnings_is_not_called_ok() {
    let image = ImageReport { verdicts: vec![sample::runs("linux/arm64")], ..sample::image("linux/arm64") };
    let found = sample::finding("foreign-library", sample::arm64_place("app.tar"), "/x.so is for x86_64");
    let text = plain(&Report { findings: vec![found], ..one(image) }, PLAIN);
    assert!(text.contains("\nruns  app.tar  linux/arm64  /app runs on linux/arm64"), "{text}");
}

#[test]
fn what_is_wrong_for_another_node_leaves_an_image_ok() {
    let image = ImageReport { verdicts: vec![sample::runs("linux/arm64")], ..sample::image("linux/arm64") };
    let place = GuestLocus { target: "app.tar".into(), node: Some("linux/amd64".into()), ..GuestLocus::default() };
    let found =
        sample::finding("no-matching-manifest", place, "no matching manifest for linux/amd64 in the manifest list entries");
    let text = plain(&Report { findings: vec![found], ..one(image) }, PLAIN);
    assert!(text.contains("\nok  app.tar  linux/arm64  /app runs on linux/arm64"), "{text}");
}

#[test]
fn what_could_not_be_looked_at_is_never_called_clean() {
    let failed = |name: &str| TargetReport { error: Some("not an image".into()), ..sample::target(name, Vec::new()) };
    let alone = Report { targets: vec![failed("a.tar")], findings: Vec::new(), ..Report::default() };
    assert_eq!(plain(&alone, PLAIN), "error: a.tar: not an image\n");
    let both = Report { targets: vec![failed("a.tar"), failed("b.tar")], findings: Vec::new(), ..Report::default() };
    assert!(plain(&both, PLAIN).ends_with("\n\n2 targets could not be looked at\n"), "{}", plain(&both, PLAIN));
}

#[test]
fn a_target_named_twice_is_reported_once() {
    let mut report = sample::wrong_machine();
    report.targets.extend(report.targets.clone());
    assert_eq!(plain(&report, QUIET).matches("error[EX101]").count(), 1);
}

#[test]
fn nothing_in_an_image_steers_the_terminal() {
    let mut report = sample::rich();
    for target in &mut report.targets {
        target.target = target.target.replace("app", "\u{1b}[2Japp");
        for image in &mut target.images {
            image.image.names = vec!["\u{1b}]0;title\u{7}".into()];
            for step in image.image.layers.iter_mut().filter_map(|layer| layer.step.as_mut()) {
                step.created_by = "RUN \u{1b}[2J\u{9b}".into();
            }
            for verdict in &mut image.verdicts {
                verdict.node.name = "\u{1b}[31m".into();
                verdict.message = Some("exec \u{1b}[31m".into());
                verdict.trace.hops.iter_mut().for_each(|hop| hop.path = b"/\x1b[5m\xff".to_vec());
            }
        }
    }
    for options in [VERBOSE, FACTS] {
        let text = plain(&report, options);
        assert!(text.chars().all(|character| character == '\n' || !character.is_control()), "{text:?}");
        // Stripping styles takes raw control sequences away too: escaped, their letters are still there.
        assert!(text.contains("\\x1b[2J"), "{text}");
    }
}

#[test]
fn styles_are_closed_where_they_are_opened() {
    for line in styled(&sample::rich(), VERBOSE).lines() {
        let opened = line.matches("\u{1b}[").count();
        let reset = line.matches("\u{1b}[0m").count();
        assert!(opened == 0 || line.rfind("\u{1b}[") == line.rfind("\u{1b}[0m") && reset > 0, "{line:?}");
    }
}

#[test]
fn no_line_ends_in_spaces() {
    for options in [PLAIN, VERBOSE, FACTS] {
        let text = plain(&sample::rich(), options);
        assert!(text.lines().all(|line| line == line.trim_end()), "{text}");
    }
}
