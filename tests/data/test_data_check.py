"""What `check` finds before any training."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pictures import save, stripes, write_folder
from striate.data import (
    Finding,
    Source,
    SourceOptions,
    Unreadable,
    check,
    open_source,
    stop_at_faults,
    unreadable_limit,
)
from striate.errors import CheckError, SourceError


def spoil(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).write_bytes(b"")
    return folder


def reason_of(path: Path) -> str:
    """Return in whose words an unreadable picture is reported: those of the image room."""
    source = open_source(path)
    return check(source, allow_unreadable=True).unreadable[0].reason


def table(folder: Path, text: str, **options: object) -> Source:
    for number, name in enumerate("abcdef"):
        save(stripes(0, number), folder / f"{name}.png")
    (folder / "t.csv").write_text(text)
    return open_source(folder / "t.csv", SourceOptions(**options))


def test_sizes_come_from_the_headers(tmp_path: Path) -> None:
    save(stripes(0, 0, size=9, channels=1), tmp_path / "a" / "x.png")
    save(stripes(0, 0, size=20), tmp_path / "b" / "y.jpg")
    save(stripes(0, 1, size=20), tmp_path / "b" / "z.jpg")
    audit = check(open_source(tmp_path), threads=1)
    assert audit.sizes.dtype == np.int32
    assert audit.sizes.tolist() == [[9, 9, 1], [20, 20, 3], [20, 20, 3]]
    assert audit.unreadable == ()
    assert audit.warnings == (
        "1 picture grey among 2 in colour: a/x.png.",
        "There is a single picture of: a. It can't be both trained on and validated on; add "
        "pictures or remove the class.",
    )


def test_arrays_have_one_size() -> None:
    source = open_source((np.zeros((4, 9, 8), np.uint8), np.array([0, 1, 0, 1])))
    audit = check(source)
    assert audit.sizes.tolist() == [[9, 8, 1]] * 4
    assert audit.warnings == ()


def test_progress_is_told(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    check(
        open_source(write_folder(tmp_path, each=3)),
        progress=lambda done, total: calls.append((done, total)),
    )
    assert calls[-1] == (6, 6)


def test_few_unreadable_pictures_are_named_and_left_out(tmp_path: Path) -> None:
    write_folder(tmp_path, each=5)
    spoil(tmp_path, "across/003.png", "down/001.png")
    audit = check(open_source(tmp_path))
    reason = audit.unreadable[0].reason
    assert audit.unreadable == (
        Unreadable(position=3, name="across/003.png", reason=reason),
        Unreadable(position=6, name="down/001.png", reason=reason),
    )
    assert audit.sizes[3].tolist() == [0, 0, 0]
    assert audit.warnings == (
        f"2 pictures can't be read and will be left out: across/003.png, down/001.png ({reason}).",
    )


def test_too_many_unreadable_pictures_are_refused(tmp_path: Path) -> None:
    write_folder(tmp_path, each=4)
    spoil(tmp_path, "across/001.png", "down/002.png")
    reason = reason_of(tmp_path)
    with pytest.raises(CheckError) as caught:
        check(open_source(tmp_path))
    assert str(caught.value) == (
        f"2 of 8 pictures can't be read (25%, more than 20%): across/001.png, "
        f"down/002.png ({reason}). Repair or remove them, or go on without them by "
        "--allow-unreadable."
    )
    assert caught.value.exit_code == 5
    assert len(check(open_source(tmp_path), allow_unreadable=True).unreadable) == 2


def test_strict_stops_at_the_first(tmp_path: Path) -> None:
    write_folder(tmp_path, each=20)
    spoil(tmp_path, "across/007.png", "down/001.png")
    reason = reason_of(tmp_path)
    with pytest.raises(CheckError) as caught:
        check(open_source(tmp_path), strict=True)
    assert str(caught.value) == (
        f"across/007.png can't be read: {reason}. Repair or remove it; without --strict it would "
        "be left out."
    )


def test_missing_files_of_a_table_count_as_unreadable(tmp_path: Path) -> None:
    rows = "".join(f"{name}.png,{number}\n" for number, name in enumerate("abcdefg"))
    audit = check(table(tmp_path, "image,x\n" + rows))
    assert audit.warnings == (
        "1 picture can't be read and will be left out: g.png (there is no such file).",
    )
    source = table(tmp_path, "image,x\na.png,1\nv.png,2\nw.png,3\nx.png,4\ny.png,5\n")
    with pytest.raises(CheckError) as caught:
        check(source)
    assert str(caught.value) == (
        "4 of 5 pictures can't be read (80%, more than 20%): v.png, w.png, x.png and 1 more "
        "(there is no such file). Repair or remove them, or go on without them by --allow-unreadable."
    )


def bad(number: int) -> list[Unreadable]:
    return [Unreadable(position=i, name=f"{i}.png", reason="cut") for i in range(number)]


def test_the_limit_is_a_fifth() -> None:
    unreadable_limit([], 10, strict=True, allow=False)
    unreadable_limit(bad(2), 10, strict=False, allow=False)
    unreadable_limit(bad(3), 10, strict=False, allow=True)
    with pytest.raises(CheckError, match=r"^3 of 10 pictures can't be read \(30%"):
        unreadable_limit(bad(3), 10, strict=False, allow=False)


def test_nothing_readable_is_refused_even_when_allowed() -> None:
    with pytest.raises(CheckError) as caught:
        unreadable_limit(bad(4), 4, strict=False, allow=True)
    assert str(caught.value) == (
        "None of the 4 pictures can be read: 0.png, 1.png, 2.png and 1 more (cut)."
    )


def test_a_wrong_suffix_is_told(tmp_path: Path) -> None:
    write_folder(tmp_path, each=2)
    (tmp_path / "down" / "001.png").rename(tmp_path / "down" / "001.jpg")
    audit = check(open_source(tmp_path))
    assert audit.unreadable == ()
    assert audit.warnings == ("Read by content, because the suffix is wrong: down/001.jpg (PNG).",)


def test_small_pictures_are_told(tmp_path: Path) -> None:
    write_folder(tmp_path, each=2)
    save(stripes(0, 0, size=7), tmp_path / "across" / "tiny.png")
    assert check(open_source(tmp_path)).warnings == (
        "1 picture with a side under 8 pixels: across/tiny.png (7 × 7).",
    )


def test_one_class_only(tmp_path: Path) -> None:
    write_folder(tmp_path / "set", classes=("cat",), each=2)
    with pytest.raises(SourceError) as caught:
        check(open_source(tmp_path / "set"))
    assert str(caught.value) == (
        "All pictures of set have the same class, 'cat'. Expected two classes or more."
    )
    assert caught.value.exit_code == 3


def test_a_class_with_a_single_picture(tmp_path: Path) -> None:
    write_folder(tmp_path, each=3)
    write_folder(tmp_path, classes=("rare",), each=1)
    assert check(open_source(tmp_path)).warnings == (
        "There is a single picture of: rare. It can't be both trained on and validated on; add "
        "pictures or remove the class.",
    )


def test_a_class_whose_pictures_are_all_unreadable(tmp_path: Path) -> None:
    write_folder(tmp_path, each=5)
    write_folder(tmp_path, classes=("gone",), each=1)
    spoil(tmp_path, "gone/000.png")
    assert check(open_source(tmp_path)).warnings[1:] == ("There is no readable picture of: gone.",)


def test_uneven_classes() -> None:
    targets = np.array([0] * 20 + [1] * 2)
    source = open_source((np.zeros((22, 9, 9), np.uint8), targets))
    assert check(source).warnings == (
        "Classes with fewer than 10 pictures: 1 (2). There is little to learn them from, and their "
        "figures will be uncertain.",
        "The classes are uneven, 10 to 1: 20 pictures of '0', 2 of '1'. Accuracy alone says little "
        "then; look at each class.",
    )
    fewer = check(open_source((np.zeros((21, 9, 9), np.uint8), targets[1:])))
    assert [finding.kind for finding in fewer.findings] == ["class-tiny"]
    assert not fewer.findings[0].fault


def parts(folder: Path, **classes: tuple[str, ...]) -> Source:
    for part, names in classes.items():
        write_folder(folder / part, classes=names, each=2)
    return open_source(folder)


@pytest.mark.parametrize(
    ("val", "difference"),
    [
        (("a", "c"), "only in validation: c; only in train: b"),
        (("a", "b", "c"), "only in validation: c"),
        (("a",), "only in train: b"),
    ],
)
def test_classes_that_differ_between_train_and_val(
    tmp_path: Path, val: tuple[str, ...], difference: str
) -> None:
    source = parts(tmp_path, train=("a", "b"), val=val)
    with pytest.raises(SourceError) as caught:
        check(source)
    assert str(caught.value) == (
        f"The classes of the train and validation parts differ ({difference}). Expected the same "
        "classes in both; look for a name that is spelt in two ways."
    )


def test_classes_that_differ_between_train_and_test(tmp_path: Path) -> None:
    assert check(parts(tmp_path / "one", train=("a", "b"), test=("a",))).warnings == (
        "The test part has no picture of: b.",
    )
    with pytest.raises(SourceError) as caught:
        check(parts(tmp_path / "two", train=("a", "b"), test=("b", "c")))
    assert str(caught.value) == (
        "The classes of the train and test parts differ (only in test: c; only in train: a). "
        "Expected the same classes in both; look for a name that is spelt in two ways."
    )


def test_labels_that_say_nothing() -> None:
    targets = np.array([[0, 1, 1], [0, 1, 0], [0, 1, 1]])
    source = open_source((np.zeros((3, 9, 9), np.uint8), targets))
    assert check(source).warnings == (
        "No picture has the label: 0.",
        "Every picture has the label: 1.",
    )


def test_a_constant_target(tmp_path: Path) -> None:
    source = table(tmp_path, "image,x,y\na.png,1,2.5\nb.png,3,2.5\n")
    assert check(source).warnings == ("The target is the same for every picture: y (2.5).",)


def test_groups_that_a_given_split_tears_apart(tmp_path: Path) -> None:
    text = "image,x,who,part\na.png,1,u,train\nb.png,2,u,test\nc.png,3,v,train\nd.png,4,w,val\n"
    source = table(tmp_path, text, group="who", split="part")
    assert check(source).warnings == (
        "Groups that lie in more than one given part: 1. The figures of those parts will look "
        "better than they are.",
    )


def test_strict_stops_at_other_faults_too_and_not_at_oddities(tmp_path: Path) -> None:
    write_folder(tmp_path, each=12)
    write_folder(tmp_path, classes=("rare",), each=1)
    with pytest.raises(CheckError) as caught:
        check(open_source(tmp_path), strict=True)
    assert str(caught.value) == (
        "There is a single picture of: rare. It can't be both trained on and validated on; add "
        "pictures or remove the class. --strict stops here; put it right (striate check lists all), "
        "leave pictures out by --exclude, or run without --strict."
    )
    write_folder(tmp_path, classes=("rare",), each=2)
    odd = check(open_source(tmp_path), strict=True)
    assert [finding.kind for finding in odd.findings] == ["class-tiny"]


def test_several_faults_are_counted() -> None:
    finding = Finding(kind="leak", sentence="One.")
    with pytest.raises(
        CheckError, match=r"^One\. 2 further faults beside it\. --strict stops here;"
    ):
        stop_at_faults([finding, replace(finding, fault=False), finding, finding])
    stop_at_faults([replace(finding, fault=False)])
