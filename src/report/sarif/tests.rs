use std::path::PathBuf;

use snapbox::{IntoData, assert_data_eq, str};

use super::{MOST_RESULTS, sarif, uri};
use crate::report::{Dockerfile, Report, Repository, sample};

fn printed(report: &Report, dockerfile: Option<Dockerfile>) -> String {
    let mut out = Vec::new();
    let repository = Repository { root: PathBuf::from("/src"), current: PathBuf::from("/src"), dockerfile };
    sarif(report, &repository, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn run(report: &Report) -> serde_json::Value {
    serde_json::from_str::<serde_json::Value>(&printed(report, None)).unwrap()["runs"][0].clone()
}

#[test]
fn findings_become_results() {
    let dockerfile = Dockerfile::new("Dockerfile", "FROM debian\nCOPY --from=build /out/dash /usr/bin/dash\n");
    let printed = printed(&sample::every_locus(), Some(dockerfile));
    let mut log: serde_json::Value = serde_json::from_str(&printed).unwrap();
    // The rules' own text has its own snapshots: docs/rules.
    for rule in log["runs"][0]["tool"]["driver"]["rules"].as_array_mut().unwrap() {
        assert!(rule["help"]["markdown"].as_str().unwrap().contains("## Why"));
        rule["help"] = "…".into();
        rule["fullDescription"] = "…".into();
    }
    assert_data_eq!(serde_json::to_string_pretty(&log).unwrap(), str![[r#"
{
  "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
  "runs": [
    {
      "automationDetails": {
        "id": "enoexec/"
      },
      "columnKind": "unicodeCodePoints",
      "invocations": [
        {
          "executionSuccessful": false,
          "toolExecutionNotifications": [
            {
              "level": "error",
              "message": {
                "text": "gone.tar could not be looked at: No such file or directory (os error 2)"
              }
            }
          ]
        }
      ],
      "results": [
        {
          "level": "error",
          "locations": [
            {
              "logicalLocations": [
                {
                  "fullyQualifiedName": "app.tar linux/arm64 /usr/bin/dash",
                  "kind": "resource"
                }
              ],
              "physicalLocation": {
                "artifactLocation": {
                  "uri": "Dockerfile"
                },
                "region": {
                  "endLine": 2,
                  "startLine": 2
                }
              }
            }
          ],
          "message": {
            "text": "/bin/sh is built for x86_64 (64-bit, little-endian), but linux/arm64 nodes cannot run it\nin app.tar (linux/arm64, app:latest), layer 3: COPY --from=build /out/dash /usr/bin/dash\ndocker-entrypoint.sh: script (layer 2)\nhelp: build for the node: `docker buildx build --platform linux/arm64 .`, and copy no file from a stage or host of another machine"
          },
          "partialFingerprints": {
            "enoexec/v1": "08b7ad609e04a5e7",
            "primaryLocationLineHash": "08b7ad609e04a5e7:1"
          },
          "properties": {
            "confidence": "high",
            "image": "linux/arm64",
            "layer": "3",
            "name": "app:latest",
            "node": "linux/arm64",
            "path": "/usr/bin/dash",
            "step": "COPY --from=build /out/dash /usr/bin/dash",
            "target": "app.tar"
          },
          "ruleId": "EX101",
          "ruleIndex": 0
        },
        {
          "level": "error",
          "locations": [
            {
              "logicalLocations": [
                {
                  "fullyQualifiedName": "apps/Deployment prod web /spec/template/spec/containers/0/image",
                  "kind": "object"
                }
              ],
              "physicalLocation": {
                "artifactLocation": {
                  "uri": "apps/Deployment/prod/web"
                },
                "region": {
                  "endLine": 1,
                  "startLine": 1
                }
              }
            }
          ],
          "message": {
            "text": "shop/web has no image for 3 of 5 nodes that the pod may land on\nin apps/Deployment prod/web /spec/template/spec/containers/0/image\na guess"
          },
          "partialFingerprints": {
            "enoexec/v1": "a7a1960bedfaad18",
            "primaryLocationLineHash": "a7a1960bedfaad18:1"
          },
          "properties": {
            "confidence": "low"
          },
          "ruleId": "EX203",
          "ruleIndex": 3
        },
        {
          "level": "warning",
          "locations": [
            {
              "logicalLocations": [
                {
                  "fullyQualifiedName": "app.tar linux/arm64 /usr/lib/python3/dist-packages/numpy.so",
                  "kind": "resource"
                }
              ],
              "physicalLocation": {
                "artifactLocation": {
                  "uri": "Dockerfile"
                },
                "region": {
                  "endLine": 1,
                  "startLine": 1
                }
              }
            }
          ],
          "message": {
            "text": "/usr/lib/python3/dist-packages/numpy.so is a Python library for x86_64, but the image is for linux/arm64\nin app.tar (linux/arm64, app:latest), layer 1: RUN pip install numpy\nlikely, not certain\nhelp: install or build it for linux/arm64"
          },
          "partialFingerprints": {
            "enoexec/v1": "5ae1b58623cd08b5",
            "primaryLocationLineHash": "5ae1b58623cd08b5:1"
          },
          "properties": {
            "confidence": "medium",
            "image": "linux/arm64",
            "layer": "1",
            "name": "app:latest",
            "path": "/usr/lib/python3/dist-packages/numpy.so",
            "step": "RUN pip install numpy",
            "target": "app.tar"
          },
          "ruleId": "EX131",
          "ruleIndex": 2
        },
        {
          "fixes": [
            {
              "artifactChanges": [
                {
                  "artifactLocation": {
                    "uri": "docker/Dockerfile"
                  },
                  "replacements": [
                    {
                      "deletedRegion": {
                        "byteLength": 5,
                        "byteOffset": 49
                      },
                      "insertedContent": {
                        "text": "${TARGETARCH}"
                      }
                    }
                  ]
                }
              ],
              "description": {
                "text": "write `$TARGETARCH`: BuildKit sets it"
              }
            }
          ],
          "level": "warning",
          "locations": [
            {
              "physicalLocation": {
                "artifactLocation": {
                  "uri": "docker/Dockerfile"
                },
                "region": {
                  "endColumn": 43,
                  "endLine": 2,
                  "startColumn": 38,
                  "startLine": 2
                }
              }
            }
          ],
          "message": {
            "text": "the download is for amd64, whatever the platform\nhelp: write `$TARGETARCH`: BuildKit sets it"
          },
          "partialFingerprints": {
            "enoexec/v1": "c3f0daca14df36d8",
            "primaryLocationLineHash": "c3f0daca14df36d8:1"
          },
          "properties": {
            "confidence": "high"
          },
          "ruleId": "EX125",
          "ruleIndex": 1
        }
      ],
      "tool": {
        "driver": {
          "informationUri": "https://github.com/enoexec/enoexec",
          "name": "enoexec",
          "rules": [
            {
              "defaultConfiguration": {
                "level": "error"
              },
              "fullDescription": "…",
              "help": "…",
              "helpUri": "https://github.com/enoexec/enoexec/blob/main/docs/rules/EX101.md",
              "id": "EX101",
              "name": "wrong-machine",
              "properties": {
                "problem.severity": "error",
                "tags": [
                  "containers",
                  "execution",
                  "wrong-machine"
                ]
              },
              "shortDescription": {
                "text": "The program is built for another machine than the node."
              }
            },
            {
              "defaultConfiguration": {
                "level": "note"
              },
              "fullDescription": "…",
              "help": "…",
              "helpUri": "https://github.com/enoexec/enoexec/blob/main/docs/rules/EX125.md",
              "id": "EX125",
              "name": "cannot-tell",
              "properties": {
                "problem.severity": "recommendation",
                "tags": [
                  "containers",
                  "execution"
                ]
              },
              "shortDescription": {
                "text": "It cannot be told whether the image starts."
              }
            },
            {
              "defaultConfiguration": {
                "level": "warning"
              },
              "fullDescription": "…",
              "help": "…",
              "helpUri": "https://github.com/enoexec/enoexec/blob/main/docs/rules/EX131.md",
              "id": "EX131",
              "name": "foreign-library",
              "properties": {
                "problem.severity": "warning",
                "tags": [
                  "containers",
                  "execution"
                ]
              },
              "shortDescription": {
                "text": "A library is built for another machine or system than the image."
              }
            },
            {
              "defaultConfiguration": {
                "level": "error"
              },
              "fullDescription": "…",
              "help": "…",
              "helpUri": "https://github.com/enoexec/enoexec/blob/main/docs/rules/EX203.md",
              "id": "EX203",
              "name": "no-matching-manifest",
              "properties": {
                "problem.severity": "error",
                "tags": [
                  "containers",
                  "image"
                ]
              },
              "shortDescription": {
                "text": "There is no image for the node, or for the platform that was asked for."
              }
            }
          ],
          "semanticVersion": "0.1.0",
          "version": "0.1.0"
        }
      }
    }
  ],
  "version": "2.1.0"
}
"#]].raw());
}

#[test]
fn every_address_is_relative_and_no_text_steers_a_terminal() {
    let printed = printed(&sample::hostile(), None);
    assert!(!printed.contains("\\u001b") && !printed.contains('\u{1b}'), "{printed}");
    for result in run(&sample::hostile())["results"].as_array().unwrap() {
        let uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
        assert!(!uri.starts_with('/') && !uri.contains(':') && !uri.contains(".."), "{uri}");
    }
    assert_eq!(uri("shop/api:1.2 é"), "shop/api%3A1.2%20%C3%A9");
}

#[test]
fn what_has_no_room_is_counted() {
    let mut report = sample::every_locus();
    report.findings = vec![report.findings[0].clone(); MOST_RESULTS + 3];
    let run = run(&report);
    assert_eq!(run["results"].as_array().unwrap().len(), MOST_RESULTS);
    let notes = run["invocations"][0]["toolExecutionNotifications"].to_string();
    assert!(notes.contains("3 more findings"), "{notes}");
    let prints: std::collections::BTreeSet<String> = run["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["partialFingerprints"]["primaryLocationLineHash"].to_string())
        .collect();
    assert_eq!(prints.len(), MOST_RESULTS, "those that are alike are numbered");
}

#[test]
fn no_rule_has_more_tags_than_github_takes() {
    for rule in crate::finding::catalogue() {
        assert!(super::descriptor(rule).properties.tags.len() <= super::MOST_TAGS);
    }
}
