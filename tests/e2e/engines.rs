//! Images of an engine, asked for at its socket: podman's own, which also speaks as Docker's daemon does.

use std::os::unix::net::UnixStream;
use std::process::Command;

use crate::lab::{Lab, shell};
use crate::registries::{MUTUAL, TLS, authority, nginx, service};
use crate::run::{check, check_where};
use crate::writers::original;

const STORE: &str = "--root store/root --runroot store/run --storage-driver vfs";

#[test]
fn podman_by_its_socket() {
    let Some(lab) = Lab::open("apt-get, dpkg-deb, skopeo, podman, nginx and openssl") else { return };
    let (folder, _) = original(&lab);
    let podman = format!("podman --tmpdir store/tmp {STORE}");
    shell(
        &folder,
        "skopeo --insecure-policy --override-arch arm64 copy -q oci:layout:latest docker-archive:in.tar:example.org/e2e:1",
    );
    shell(
        &folder,
        &format!("{podman} load -q -i in.tar && {podman} save -q --format docker-archive -o saved.tar example.org/e2e:1"),
    );
    let expected = check(folder.join("saved.tar"));
    expected.fails("ENOEXEC", "wrong-machine");

    // A socket's path may have no more than 107 bytes.
    let place = tempfile::tempdir().unwrap();
    let socket = place.path().join("podman.sock");
    let host = format!("unix://{}", socket.display());
    let mut command = Command::new("podman");
    command
        .args(["--tmpdir", "store/tmp"])
        .args(STORE.split(' '))
        .args(["system", "service", "--time=0", &host])
        .current_dir(&folder);
    let _podman = service(&mut command, host.clone(), || UnixStream::connect(&socket).is_ok());
    for (variable, target) in [("CONTAINER_HOST", "podman:example.org/e2e:1"), ("DOCKER_HOST", "docker-daemon:example.org/e2e:1")]
    {
        let run = check_where(&[(variable, &host)], &[target]);
        assert_eq!(run.judgement(), expected.judgement(), "{target}\n{}", run.shown());
        let absent = check_where(&[(variable, &host)], &[&target.replace("e2e", "absent")]);
        absent.ends(3);
        let error = absent.report["targets"][0]["error"].as_str().unwrap();
        assert!(error.contains("has no image example.org/absent:1") && error.contains("image not known"), "{error}");
    }

    // Docker's own way to be reached from afar: TCP, with certificates on both sides.
    authority(&folder);
    let far = nginx(
        &folder,
        &format!("{TLS} {MUTUAL} location / {{ proxy_pass http://unix:{}:; proxy_buffering off; }}", socket.display()),
    );
    let certificates = folder.join("certificates");
    std::fs::create_dir(&certificates).unwrap();
    for (from, to) in [("ca.pem", "ca.pem"), ("client.pem", "cert.pem"), ("client.key", "key.pem")] {
        std::fs::copy(folder.join(from), certificates.join(to)).unwrap();
    }
    let (host, certificates) = (format!("tcp://{}", far.address), certificates.display().to_string());
    let target = "docker-daemon:example.org/e2e:1";
    let run = check_where(&[("DOCKER_HOST", &host), ("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", &certificates)], &[target]);
    assert_eq!(run.judgement(), expected.judgement(), "{}", run.shown());
    let plain = check_where(&[("DOCKER_HOST", &host)], &[target]);
    plain.ends(3);
    let error = plain.report["targets"][0]["error"].as_str().unwrap();
    assert!(error.contains("DOCKER_TLS_VERIFY"), "{error}");
}
