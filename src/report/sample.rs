//! Hand-made reports, for the tests of the renderers.

use crate::base::Digest;
use crate::check::Verdict;
use crate::exec::{Cause, Doubt, Hop, Launch, Outcome, Role, Trace};
use crate::finding::{Confidence, Edit, Finding, GuestLocus, Locus, ObjectLocus, Severity, TextFile, rule};
use crate::format::elf::{Endian, Machine};
use crate::format::oci::Config;
use crate::image::{BuildStep, Errno, Fetched, Image, Layer, LayerSource, Skip, Skipped};
use crate::node::Node;

use super::{ExecReport, FileReport, ImageReport, MachineCount, Report, TargetReport};

/// An arm64 image whose script starts an x86_64 program's interpreter: four layers, one of them with the wrong file.
pub(super) fn wrong_machine() -> Report {
    let cause = Cause::WrongMachine { machine: Machine::X86_64, bits: Some(64), endian: Some(Endian::Little) };
    let hops = vec![
        hop("docker-entrypoint.sh", Some("/usr/local/bin/docker-entrypoint.sh"), 2, Role::Program, Some("script")),
        hop("/bin/sh", Some("/usr/bin/dash"), 3, Role::ScriptInterpreter, Some("ELF x86_64 executable, dynamically linked")),
    ];
    let trace = Trace::new(hops, Outcome::Fails { errno: Errno::ENOEXEC, cause });
    let place = GuestLocus {
        layer: Some(3),
        step: Some("COPY --from=build /out/dash /usr/bin/dash # buildkit".into()),
        path: Some("/usr/bin/dash".into()),
        node: Some("linux/arm64".into()),
        ..arm64_place("app.tar")
    };
    let found = Finding {
        evidence: vec!["docker-entrypoint.sh: script (layer 2)".into()],
        fix: Some("build for the node: `docker buildx build --platform linux/arm64 .`, and copy no file from a stage or host of another machine".into()),
        ..finding("wrong-machine", place, "/bin/sh is built for x86_64 (64-bit, little-endian), but linux/arm64 nodes cannot run it")
    };
    let image = ImageReport {
        machines: machines(),
        launch: Some(Launch {
            argv: vec![b"docker-entrypoint.sh".to_vec(), b"serve it".to_vec()],
            cwd: b"/".to_vec(),
            ..Launch::default()
        }),
        verdicts: vec![verdict("linux/arm64", trace, Some("exec docker-entrypoint.sh: exec format error"))],
        ..image("linux/arm64")
    };
    Report {
        targets: vec![target("app.tar", vec![image])],
        findings: vec![found],
        fails_at: Some(Severity::Error),
        ..Report::default()
    }
}

/// An index of two images that start well on both of two nodes, but for one that has to be emulated.
pub(super) fn index() -> Report {
    let arm = ImageReport {
        machines: machines(),
        verdicts: vec![runs("linux/arm64"), Verdict { selected: false, ..runs("linux/amd64") }],
        ..image("linux/arm64")
    };
    let emulated = Trace { outcome: Outcome::Emulated { by: "qemu-s390x".into() }, ..runs("linux/s390x").trace };
    let fetched = Fetched { bytes: 3_250_586, size: Some(126_248_550), unread: vec![0, 1], by_table: vec![2] };
    let s390x = ImageReport {
        fetched: Some(fetched),
        verdicts: vec![verdict("linux/s390x,binfmt=amd64", emulated, None)],
        ..image("linux/s390x")
    };
    let unsure = ImageReport {
        partial: true,
        verdicts: vec![verdict("linux/amd64", Trace::unsure(Doubt::NoConfig), None)],
        ..image("linux/amd64")
    };
    let skipped = vec![
        Skipped { name: digest(9).to_string(), why: Skip::Attestation },
        Skipped { name: "chart".into(), why: Skip::Artifact("application/vnd.cncf.helm.config.v1+json".into()) },
    ];
    let target = TargetReport { skipped, digest: Some(digest(8)), ..target("oci:dist", vec![arm, unsure, s390x]) };
    Report { targets: vec![target], findings: Vec::new(), ..Report::default() }
}

/// Of everything something: a library that is foreign, a target that is not there, predictions and files.
pub(super) fn rich() -> Report {
    let mut report = wrong_machine();
    let place = GuestLocus {
        layer: Some(1),
        step: Some("RUN /bin/sh -c pip install numpy # buildkit".into()),
        path: Some("/usr/lib/python3/dist-packages/numpy.so".into()),
        name: Some("app:latest".into()),
        ..arm64_place("app.tar")
    };
    for found in &mut report.findings {
        if let Locus::Guest(place) = &mut found.locus {
            place.name = Some("app:latest".into());
        }
    }
    let message = "/usr/lib/python3/dist-packages/numpy.so is a Python library for x86_64, but the image is for linux/arm64";
    report.findings.push(Finding {
        confidence: Confidence::Medium,
        fix: Some("install or build it for linux/arm64".into()),
        ..finding("foreign-library", place, message)
    });
    let missing =
        TargetReport { error: Some("gone.tar: No such file or directory (os error 2)".into()), ..target("gone.tar", Vec::new()) };
    report.targets.push(missing);
    if let Some(image) = report.targets.first_mut().and_then(|target| target.images.first_mut()) {
        let trace = Trace::new(
            vec![hop("/bin/crash", Some("/bin/crash"), 0, Role::Program, Some("ELF aarch64 executable, statically linked"))],
            Outcome::Dies { signal: 11, cause: Cause::MalformedElf("p_vaddr") },
        );
        image.exec = vec![ExecReport { path: b"/bin/cr\xff".to_vec(), node: "linux/arm64".into(), trace }];
        image.files = Some(files());
        image.image.names = vec!["app:latest".into()];
    }
    report
}

/// [`rich`], with findings in a text and in a Kubernetes object beside those in images.
pub(super) fn every_locus() -> Report {
    let mut report = rich();
    let dockerfile = "FROM debian\nRUN curl -LO https://example.com/app-amd64\n";
    let span = 49..54;
    let place = TextFile::new("docker/Dockerfile", dockerfile).locus(span.clone());
    report.findings.push(Finding {
        locus: Locus::Text(place),
        severity: Severity::Warning,
        fix: Some("write `$TARGETARCH`: BuildKit sets it".into()),
        edits: vec![Edit { span, replacement: "${TARGETARCH}".into() }],
        ..finding("cannot-tell", GuestLocus::default(), "the download is for amd64, whatever the platform")
    });
    let place = ObjectLocus {
        group_kind: "apps/Deployment".into(),
        namespace: Some("prod".into()),
        name: "web".into(),
        pointer: "/spec/template/spec/containers/0/image".into(),
    };
    report.findings.push(Finding {
        locus: Locus::Object(place),
        confidence: Confidence::Low,
        ..finding(
            "no-matching-manifest",
            GuestLocus::default(),
            "shop/web has no image for 3 of 5 nodes that the pod may land on",
        )
    });
    report
}

/// Names that try to steer what shows them: a terminal, GitHub's log, a browser, a table.
pub(super) fn hostile() -> Report {
    let evil = "/a\u{1b}[2J\r\n::error::x|</td><img src=x onerror=alert(1)>`[l](http://evil.example)\u{fffe}&\"']]>--><script>";
    let place = GuestLocus {
        target: format!("docker://..{evil}"),
        image: Some(evil.into()),
        name: Some(evil.into()),
        layer: Some(0),
        step: Some(format!("RUN /bin/sh -c {evil} # buildkit")),
        path: Some(evil.into()),
        node: Some(evil.into()),
    };
    let found =
        Finding { evidence: vec![evil.into()], fix: Some(format!("run `{evil}`")), ..finding("wrong-machine", place, evil) };
    let text = TextFile::new(evil, evil).locus(0..evil.len());
    let text = Finding { locus: Locus::Text(text), ..found.clone() };
    let hops = vec![hop(evil, Some(evil), 0, Role::Program, Some(evil))];
    let trace = Trace::new(hops, Outcome::Fails { errno: Errno::ENOEXEC, cause: Cause::UnknownFormat });
    let mut image = ImageReport { verdicts: vec![verdict(evil, trace, Some(evil))], ..image("linux/arm64") };
    image.image.names = vec![evil.into()];
    let missing = TargetReport { error: Some(evil.into()), ..target(evil, Vec::new()) };
    Report {
        targets: vec![target(&format!("docker://..{evil}"), vec![image]), missing],
        findings: vec![found, text],
        fails_at: Some(Severity::Error),
        ..Report::default()
    }
}

pub(super) fn finding(name: &str, place: GuestLocus, message: &str) -> Finding {
    let rule = rule(name).unwrap();
    Finding {
        rule,
        severity: rule.severity,
        confidence: Confidence::High,
        message: message.to_owned(),
        locus: Locus::Guest(place),
        evidence: Vec::new(),
        fix: None,
        edits: Vec::new(),
    }
}

pub(super) fn arm64_place(target: &str) -> GuestLocus {
    GuestLocus { target: target.into(), image: Some("linux/arm64".into()), ..GuestLocus::default() }
}

pub(super) fn target(name: &str, images: Vec<ImageReport>) -> TargetReport {
    TargetReport { target: name.into(), images, ..TargetReport::default() }
}

pub(super) fn image(platform: &str) -> ImageReport {
    let steps = [
        "/bin/sh -c #(nop) ADD file:3d1f8d5c in / ",
        "RUN /bin/sh -c pip install numpy # buildkit",
        "COPY docker-entrypoint.sh /usr/local/bin/ # buildkit",
        "COPY --from=build /out/dash /usr/bin/dash # buildkit",
    ];
    let layer = |(number, step): (usize, &&str)| Layer {
        source: LayerSource::Blob(Box::default()),
        diff_id: Some(digest(number)),
        step: Some(BuildStep { number: number + 2, created_by: (*step).to_owned() }),
    };
    let config = Config { platform: platform.parse().unwrap(), ..Config::default() };
    let image = Image {
        digest: Some(digest(7)),
        declared: Some(platform.parse().unwrap()),
        config: Some(config),
        layers: steps.iter().enumerate().map(layer).collect(),
        ..Image::default()
    };
    ImageReport { image, ..ImageReport::default() }
}

pub(super) fn hop(path: &str, found: Option<&str>, layer: usize, role: Role, what: Option<&str>) -> Hop {
    Hop {
        path: path.as_bytes().to_vec(),
        found: found.map(Into::into),
        layer: found.map(|_| layer),
        links: Vec::new(),
        role,
        what: what.map(ToOwned::to_owned),
    }
}

pub(super) fn verdict(node: &str, trace: Trace, message: Option<&str>) -> Verdict {
    let node = Node { name: node.into(), ..Node::parse("linux/arm64").unwrap() };
    Verdict { node, selected: true, trace, message: message.map(ToOwned::to_owned), crun_message: None }
}

pub(super) fn runs(node: &str) -> Verdict {
    let what = "ELF aarch64 executable, dynamically linked";
    let hops = vec![
        hop("/app", Some("/app"), 3, Role::Program, Some(what)),
        hop(
            "/lib/ld-linux-aarch64.so.1",
            Some("/usr/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1"),
            0,
            Role::Loader,
            Some("ELF aarch64 shared library"),
        ),
    ];
    verdict(node, Trace::new(hops, Outcome::Runs), None)
}

fn machines() -> Vec<MachineCount> {
    let count = |machine: &str, bits, layer, files, executables| MachineCount {
        machine: machine.into(),
        bits: Some(bits),
        endian: Some("little"),
        layer,
        files,
        executables,
    };
    vec![
        count("aarch64", 64, 0, 310, 102),
        count("aarch64", 64, 1, 21, 0),
        count("arm", 32, 1, 2, 1),
        count("x86_64", 64, 3, 1, 1),
    ]
}

fn files() -> Vec<FileReport> {
    let elf = FileReport {
        path: "/usr/bin/dash".into(),
        layer: 3,
        kind: "elf",
        machine: Some("x86_64".into()),
        bits: Some(64),
        endian: Some("little"),
        elf_type: Some("executable"),
        interp: Some("/lib64/ld-linux-x86-64.so.2".into()),
        needed: vec!["libc.so.6".into()],
    };
    let script = FileReport {
        path: "/usr/local/bin/docker-entrypoint.sh".into(),
        layer: 2,
        kind: "script",
        machine: None,
        bits: None,
        endian: None,
        elf_type: None,
        interp: Some("/bin/sh".into()),
        needed: Vec::new(),
    };
    vec![elf, script]
}

fn digest(number: usize) -> Digest {
    Digest::of(number.to_string().as_bytes())
}

/// Whether the sample's worst finding is an error, which the summaries rely on.
#[test]
fn the_sample_has_an_error() {
    assert!(rich().findings.iter().any(|found| found.severity == Severity::Error));
}
