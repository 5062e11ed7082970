"""The classifier family through its public interface, with every network."""

import pytest
import torch
from sklearn.datasets import load_digits
from torch.nn import functional as F

from maquette.core.devices import start_engine
from maquette.core.errors import DatasetError, SettingsError
from maquette.core.family import Progress
from maquette.core.images import Batch, ImageSpec
from maquette.core.randomness import picture_seeds, seed_everything
from maquette.data.dataset import ImageDataset
from maquette.families import family_class
from maquette.recipe import parse_recipe, read_recipe
from maquette.training.trainer import Trainer

Classifier = family_class("classifier")
NETWORKS = ["small", "vgg"]
START = Progress(0, 0, 0.0)
STILL = {
    "dropout": 0.0, "label_smoothing": 0.0, "mixup": 0.0,
    "augmentation": {
        "rotation_degrees": 0, "scale": 0, "shear_degrees": 0, "shift": 0, "wobble": 0,
    },
}  # fmt: skip


def family(classes=3, rows=16, columns=24, channels=3, **settings):
    torch.manual_seed(0)
    spec = ImageSpec(channels, rows, columns, tuple(f"class {i}" for i in range(classes)))
    return Classifier(Classifier.Settings(**({"width": 4} | settings)), spec)


def batch(classifier, count=6):
    torch.manual_seed(1)
    labels = torch.arange(count) % len(classifier.spec.classes)
    images = torch.rand(count, *classifier.spec.shape) * 2 - 1
    return Batch(images, picture_seeds(count, 3), labels)


def loss(classifier, batch):
    (update,) = classifier.training_step(batch, START)
    assert update.player == "classifier"
    return update.loss


@pytest.mark.parametrize("network", NETWORKS)
def test_every_parameter_learns(network):
    classifier = family(network=network, mixup=0.4)
    loss(classifier, batch(classifier)).backward()
    for name, parameter in classifier.named_parameters():
        assert parameter.grad.isfinite().all() and parameter.grad.abs().sum() > 0, name


def test_the_loss_is_cross_entropy_when_nothing_is_added():
    classifier = family(network="vgg", **STILL)
    b = batch(classifier)
    expected = F.cross_entropy(classifier.logits(b.images), b.labels)
    torch.testing.assert_close(loss(classifier, b), expected)


@pytest.mark.parametrize("name", ["dropout", "label_smoothing", "mixup", "augmentation"])
def test_every_setting_changes_what_is_learnt(name):
    changed = {"shift": 0.2} if name == "augmentation" else 0.3
    plain, other = family(network="vgg", **STILL), family(network="vgg", **STILL | {name: changed})
    b = batch(plain)
    assert abs(loss(plain, b) - loss(other, b)) > 1e-4


@pytest.mark.parametrize("network", NETWORKS)
def test_answers_are_probabilities_of_each_picture_alone(network):
    classifier = family(network=network).eval()
    b = batch(classifier)
    together = classifier.classify(b.images)
    torch.testing.assert_close(together.sum(1), torch.ones(6))
    torch.testing.assert_close(classifier.classify(b.images[2:3]), together[2:3])
    assert (together[0] - together[1]).abs().max() > 1e-6


def test_mirrored_answers_are_the_same_for_a_picture_and_its_mirror_image():
    plain, both = family(dropout=0.0), family(dropout=0.0, mirrored_answers=True)
    images = batch(plain).images
    assert torch.equal(plain.logits(images), both.logits(images))  # while it learns
    plain, both = plain.eval(), both.eval()
    mean = (plain.logits(images) + plain.logits(images.flip(3))) / 2
    torch.testing.assert_close(both.logits(images), mean)
    torch.testing.assert_close(both.logits(images), both.logits(images.flip(3)))
    assert (both.logits(images) - plain.logits(images)).abs().max() > 1e-4


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(28, 28), (64, 64), (28, 64), (33, 45)])
def test_the_default_is_light_enough_for_a_web_page(channels, size):
    classifier = family(345, *size, channels, width=Classifier.Settings().width)
    assert Classifier.Settings().network == "small"
    stored = classifier.state_dict().values()
    assert sum(tensor.numel() for tensor in stored if tensor.is_floating_point()) <= 310_000
    assert classifier.eval().logits(torch.zeros(1, channels, *size)).shape == (1, 345)


class Fixed(torch.nn.Module):
    """Answers with the values of the first pixels."""

    def forward(self, images):
        return images[:, 0, 0, :3] * 10


@pytest.mark.parametrize("channels", [1, 3])
def test_a_preview_goes_from_the_surest_mistake_to_the_surest_right_answer(channels):
    classifier = family(channels=channels)
    classifier.classifier = Fixed()
    images = torch.zeros(4, channels, 16, 24)
    answers = [[0.0, 0.9, 0], [0.9, 0, 0], [0.1, 0, 0], [0, 0, 0.2]]
    images[:, 0, 0, :3] = torch.tensor(answers)
    images[:, 0, 8, 12] = torch.tensor([0.1, 0.2, 0.3, 0.4])  # tells them apart
    shown = classifier.preview(Batch(images, picture_seeds(4, 0), torch.zeros(4).long()))
    assert shown.shape == images.shape
    torch.testing.assert_close(shown[:, 0, 8, 12], torch.tensor([0.1, 0.4, 0.3, 0.2]))
    assert (shown[:2, :, 0] == -1).all() and (shown[:2, 0, 1, 1:-1] == 1).all()  # framed
    assert torch.equal(shown[2:], images[[2, 1]])


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("model.network=smal", "did you mean 'small'"),
        ("model.network='timm:'", "known are small, vgg, timm:NAME"),
        ("model.pretrained=true", "pretrained weights exist for timm:NAME alone"),
        ("model.dropout=1", "model.dropout"),
        ("model.mixup=-1", "model.mixup"),
        ("model.augmentation.shift=0.6", "model.augmentation.shift"),
        ("model.augmentation.wobbel=0", "model.augmentation.wobble"),
    ],
)
def test_settings_out_of_bounds_are_refused_in_a_sentence(setting, sentence):
    with pytest.raises(SettingsError, match=sentence):
        read_recipe("classifier", [setting])


def test_one_class_cannot_be_told_from_anything():
    with pytest.raises(DatasetError, match="two or more"):
        family(classes=1)


def test_it_learns_to_read_digits():
    """A few seconds on scikit-learn's 8 px digits; guessing would be right on a tenth."""
    digits, recipe = load_digits(), read_recipe("classifier")
    pixels = torch.from_numpy(digits.images).mul(255 / 16).byte()[:, None]
    labels = torch.from_numpy(digits.target)
    spec = ImageSpec(1, 8, 8, tuple("0123456789"))
    learnt = ImageDataset(pixels[:1500], spec, labels=labels[:1500])
    recipe = recipe.with_training(steps=300, batch_size=32, average_halflife_images=1000)
    seed_everything(0)
    narrow = Classifier(recipe.model.model_copy(update={"width": 4}), spec)
    trainer = Trainer(narrow, learnt, recipe.training, start_engine("cpu"))
    while trainer.progress.fraction < 1:
        trainer.learn()
    asked = pixels[1500:].float() / 127.5 - 1
    with torch.no_grad():
        right = (trainer.average.classify(asked).argmax(1) == labels[1500:]).float().mean()
    assert right > 0.9


def test_a_recipe_may_name_any_network_of_timm():
    text = "name: x\nfamily: classifier\nmodel: {network: 'timm:resnet18'}\ntraining: {steps: 1}\n"
    assert parse_recipe(text).model.network == "timm:resnet18"


class Asked(torch.nn.Module):
    """What is exported of a classifier."""

    def __init__(self, family):
        super().__init__()
        self.family = family

    def forward(self, images):
        return self.family.logits(images)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("network", NETWORKS)
def test_an_exported_network_answers_as_this_one_does(network, mirrored):
    classifier = family(network=network, rows=17, mirrored_answers=mirrored).eval()
    images = batch(classifier).images
    size = torch.export.Dim("batch", min=1, max=64)
    asked = Asked(classifier).eval()
    exported = torch.export.export(asked, (images,), dynamic_shapes={"images": {0: size}})
    few = images[:2]
    torch.testing.assert_close(exported.module()(few), classifier.logits(few))
