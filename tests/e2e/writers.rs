//! One image as every tool writes it: the report must not depend on who wrote the bytes.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use flate2::{Compression, GzBuilder, write::GzEncoder};
use serde_json::{Value, json};

use crate::image::{GZIP_LAYER, Image, Layer, data, debian_layers, digest, link, program, tar_of};
use crate::lab::{Lab, shell};
use crate::packages::debian_file;
use crate::run::{check, check_stdin, check_with};

const NEEDS: &str = "apt-get, dpkg-deb, skopeo, umoci, buildah, podman, gzip, zstd and GNU tar";
const STEP: &str = "COPY server /usr/local/bin/server";

/// Arguments that keep podman and buildah out of the machine's own storage.
const STORE: &str = "--root store/root --runroot store/run --storage-driver vfs";
const SKOPEO: &str = "skopeo --insecure-policy --override-arch arm64 --override-os linux";

/// An image in which something is wrong, so that there is something to compare: an x86_64 program in an arm64 image, over the one
/// that was right, with a whiteout and a link on the way.
fn image() -> Image {
    static SERVERS: LazyLock<[Vec<u8>; 2]> =
        LazyLock::new(|| ["arm64", "amd64"].map(|architecture| debian_file(architecture, "busybox-static", "bin/busybox")));
    let [right, wrong] = &*SERVERS;
    let base = debian_layers("arm64", &[&["musl"]]);
    base.into_iter()
        .fold(Image::on("linux/arm64"), Image::layer)
        .copy(
            "COPY app /",
            &[
                program("/usr/local/bin/server", right.as_slice()),
                data("/etc/old.conf", "x"),
                link("/entry", "usr/local/bin/server"),
            ],
        )
        .copy("RUN rm /etc/old.conf", &[data("/etc/.wh.old.conf", "")])
        .copy(STEP, &[program("/usr/local/bin/server", wrong.as_slice())])
        .entrypoint(&["/entry"])
}

/// The image in a layout of our own, in the folder where the tools work, and what is said of it.
pub fn original(lab: &Lab) -> (PathBuf, Value) {
    let layout = image().write(lab, "layout");
    let run = check(&layout);
    run.fails("ENOEXEC", "wrong-machine").finding("wrong-machine").at("/usr/local/bin/server").from(3, STEP);
    (lab.path("."), run.judgement())
}

/// The report of each copy is the report of the original.
fn same(folder: &Path, expected: &Value, copies: &[&str]) {
    for copy in copies {
        let run = check(folder.join(copy));
        assert_eq!(&run.judgement(), expected, "{copy}\n{}", run.shown());
    }
}

#[test]
fn skopeo() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let (folder, expected) = original(&lab);
    let copy = |to: &str| shell(&folder, &format!("{SKOPEO} copy -q {to}"));
    copy("oci:layout:latest oci:oci:latest");
    copy("oci:layout:latest oci-archive:oci.tar:latest");
    copy("oci:layout:latest docker-archive:docker.tar:example.org/e2e:1");
    copy("docker-archive:docker.tar oci:back:latest");
    copy("--dest-compress-format zstd oci:layout:latest oci:zstd:latest");
    copy("--dest-compress-format zstd:chunked oci:layout:latest oci-archive:chunked.tar:latest");
    same(&folder, &expected, &["oci", "oci.tar", "docker.tar", "back", "zstd", "chunked.tar"]);
    assert!(shell(&folder, "cat zstd/blobs/sha256/* | grep -c tar+zstd").trim() != "0", "skopeo wrote no zstd layer");
}

#[test]
fn umoci() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let (folder, expected) = original(&lab);
    shell(&folder, "umoci init --layout umoci && umoci new --image umoci:latest");
    shell(
        &folder,
        "umoci config --image umoci:latest --architecture arm64 --os linux --config.entrypoint /entry --history.created_by 'ENV LANG=C'",
    );
    let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    shell(&folder, &format!("umoci config --no-history --image umoci:latest --config.env {path}"));
    for (number, layer) in image().layers().iter().enumerate() {
        let blob = layer.digest().replace(':', "/");
        shell(&folder, &format!("gzip -dc layout/blobs/{blob} > {number}.tar"));
        let history = format!("--history.created_by '{}'", layer.step);
        shell(&folder, &format!("umoci raw add-layer --image umoci:latest {history} {number}.tar"));
    }
    same(&folder, &expected, &["umoci"]);
    // Two names of one image do not make two images.
    shell(&folder, "umoci tag --image umoci:latest again");
    same(&folder, &expected, &["umoci"]);
    let tagged = check_with(&[&format!("oci:{}:again", folder.join("umoci").display())]);
    assert_eq!(tagged.judgement(), expected, "{}", tagged.shown());
}

#[test]
fn umoci_inserts_a_layer_without_padding() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let (folder, _) = original(&lab);
    let odd = [debian_file("s390x", "busybox-static", "bin/busybox"), vec![0; 5]].concat();
    fs::write(folder.join("odd"), odd).unwrap();
    shell(
        &folder,
        "chmod 755 odd && umoci insert --image layout:latest --history.created_by 'COPY odd /' odd /usr/local/bin/server",
    );
    let run = check_with(&[&format!("oci:{}:latest", folder.join("layout").display())]);
    run.fails("ENOEXEC", "wrong-machine").finding("wrong-machine").at("/usr/local/bin/server").from(4, "COPY odd /");
    assert_eq!(run.alarms().len(), 1, "{}", run.shown());
}

#[test]
fn podman() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let (folder, expected) = original(&lab);
    shell(&folder, &format!("{SKOPEO} copy -q oci:layout:latest docker-archive:in.tar:example.org/e2e:1"));
    let podman = format!("podman --tmpdir store/tmp {STORE}");
    shell(&folder, &format!("{podman} load -q -i in.tar"));
    for (format, to) in [("docker-archive", "docker.tar"), ("oci-archive", "oci.tar"), ("oci-dir", "oci")] {
        shell(&folder, &format!("{podman} save -q --format {format} -o {to} example.org/e2e:1"));
    }
    shell(&folder, &format!("{podman} save -q -m -o multi.tar example.org/e2e:1"));
    same(&folder, &expected, &["docker.tar", "oci.tar", "oci", "multi.tar"]);
}

#[test]
fn buildah() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let (folder, expected) = original(&lab);
    let buildah = format!("buildah {STORE}");
    shell(&folder, &format!("{SKOPEO} copy -q oci:layout:latest docker-archive:in.tar:example.org/e2e:1"));
    shell(&folder, &format!("{buildah} pull -q --policy never docker-archive:in.tar || {buildah} pull -q docker-archive:in.tar"));
    let push = |to: &str| shell(&folder, &format!("{buildah} push -q {to}"));
    push("example.org/e2e:1 oci:oci:latest");
    push("example.org/e2e:1 oci-archive:oci.tar:latest");
    push("example.org/e2e:1 docker-archive:docker.tar:example.org/e2e:1");
    push("--format oci --compression-format zstd example.org/e2e:1 oci-archive:zstd.tar:latest");
    same(&folder, &expected, &["oci", "oci.tar", "docker.tar", "zstd.tar"]);
}

#[test]
fn buildah_commits_what_it_copies() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let (folder, _) = original(&lab);
    fs::write(folder.join("server"), debian_file("s390x", "busybox-static", "bin/busybox")).unwrap();
    let buildah = format!("buildah {STORE}");
    shell(&folder, &format!("{buildah} from -q --name work --arch arm64 oci:layout:latest"));
    shell(&folder, &format!("{buildah} copy -q --add-history --chmod 755 work server /usr/local/bin/server"));
    for (format, to) in [("docker", "docker-archive:docker.tar:example.org/e2e:1"), ("oci", "oci-archive:oci.tar:latest")] {
        shell(&folder, &format!("{buildah} commit -q --format {format} work {to}"));
        let run = check(folder.join(format).with_extension("tar"));
        let run = run.fails("ENOEXEC", "wrong-machine");
        run.finding("wrong-machine").at("/usr/local/bin/server").from(4, "/bin/sh");
    }
}

#[test]
fn docker_since_25() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let (folder, expected) = original(&lab);
    let read = |path: &Path| -> Value { serde_json::from_slice(&fs::read(path).unwrap()).unwrap() };
    let blob = |digest: &Value| format!("blobs/{}", digest.as_str().unwrap().replace(':', "/"));
    let layout = folder.join("layout");
    let manifest = read(&layout.join(blob(&read(&layout.join("index.json"))["manifests"][0]["digest"])));
    let layers: Vec<String> = manifest["layers"].as_array().unwrap().iter().map(|layer| blob(&layer["digest"])).collect();
    let saved = json!([{ "Config": blob(&manifest["config"]["digest"]), "RepoTags": ["example.org/e2e:1"], "Layers": layers }]);
    fs::write(layout.join("manifest.json"), saved.to_string()).unwrap();
    shell(&folder, "tar -C layout -cf docker.tar blobs index.json manifest.json oci-layout");
    same(&folder, &expected, &["docker.tar"]);
    let piped = check_stdin(&folder.join("docker.tar"));
    assert_eq!(piped.judgement(), expected, "{}", piped.shown());
}

#[test]
fn docker_before_1_10_wrote_links_between_layers() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let (folder, expected) = original(&lab);
    shell(&folder, &format!("{SKOPEO} copy -q oci:layout:latest docker-archive:docker.tar:example.org/e2e:1"));
    // The layers below the top one become links, as they are where images share them.
    shell(
        &folder,
        "mkdir x && tar -C x -xf docker.tar && cd x && mkdir shared && \
        for layer in $(ls *.tar); do mv $layer shared/$layer && ln -s shared/$layer $layer; done && \
        tar -cf ../links.tar shared $(ls | grep -v shared)",
    );
    same(&folder, &expected, &["links.tar"]);
}

#[test]
fn through_a_pipe_and_compressed() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let (folder, expected) = original(&lab);
    shell(&folder, &format!("{SKOPEO} copy -q oci:layout:latest docker-archive:docker.tar:example.org/e2e:1"));
    shell(&folder, &format!("{SKOPEO} copy -q oci:layout:latest oci-archive:oci.tar:latest"));
    for archive in ["docker.tar", "oci.tar"] {
        shell(&folder, &format!("gzip -1 -k {archive} && zstd -q -1 {archive}"));
        for name in [archive.to_owned(), format!("{archive}.gz"), format!("{archive}.zst")] {
            same(&folder, &expected, &[&name]);
            let piped = check_stdin(&folder.join(&name));
            assert_eq!(piped.judgement(), expected, "{name}\n{}", piped.shown());
        }
    }
}

#[test]
fn a_plain_tar_under_the_label_of_a_gzip_layer() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let (folder, _) = original(&lab);
    let tar = tar_of(&[program("/usr/local/bin/server", debian_file("amd64", "busybox-static", "bin/busybox"))]);
    let layer = Layer::stored(STEP, GZIP_LAYER, &digest(&tar), tar);
    let run = check(Image::on("linux/arm64").layer(layer).entrypoint(&["server"]).write(&lab, "plain"));
    run.fails("ENOEXEC", "wrong-machine").finding("wrong-machine").at("/usr/local/bin/server").from(0, STEP);
    assert!(folder.exists());
}

/// eStargz: each entry is a gzip member of its own, landmarks and a table of contents among them, and a footer that is an empty member.
#[test]
fn estargz() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let files = |path: &str, bytes: Vec<u8>| tar_of(&[program(path, bytes)]);
    let body = |tar: Vec<u8>| tar[..tar.len() - 1024].to_vec();
    let entries = [
        body(files(".prefetch.landmark", vec![0xf])),
        body(files("/usr/local/bin/server", debian_file("amd64", "busybox-static", "bin/busybox"))),
        files("stargz.index.json", br#"{"version":1,"entries":[]}"#.to_vec()),
    ];
    let member = |bytes: &Vec<u8>| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let mut layer: Vec<u8> = entries.iter().flat_map(member).collect();
    let table = entries[..2].iter().map(|entry| member(entry).len()).sum::<usize>();
    let extra = [b"SG\x16\x00".as_slice(), format!("{table:016x}STARGZ").as_bytes()].concat();
    layer.extend(GzBuilder::new().extra(extra).write(Vec::new(), Compression::none()).finish().unwrap());
    let layer = Layer::stored(STEP, GZIP_LAYER, &digest(&entries.concat()), layer);
    let image = Image::on("linux/arm64").layer(layer).entrypoint(&["server"]).write(&lab, "estargz");
    let run = check_with(&["--verify-diffids", image.to_str().unwrap()]);
    run.fails("ENOEXEC", "wrong-machine").finding("wrong-machine").at("/usr/local/bin/server").from(0, STEP);
    assert_eq!(run.alarms().len(), 1, "{}", run.shown());
}

#[test]
fn an_unpacked_root() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let (folder, _) = original(&lab);
    shell(&folder, "umoci unpack --rootless --image layout:latest bundle");
    let root = format!("dir:{}", folder.join("bundle/rootfs").display());
    let run = check_with(&["--node", "arm64", "--entrypoint", "/entry", &root]);
    run.fails("ENOEXEC", "wrong-machine").finding("wrong-machine").at("/usr/local/bin/server");
}
