"""What categories are like without their names, for choosing models; from no template."""

from typing import Final

DESCRIPTIONS: Final = (
    ("ball", ("a round toy that bounces", "what children kick across the garden")),
    ("clamp", ("a tool that holds two boards together", "what grips wood while the glue dries")),
    ("hammer", ("a tool for driving nails", "what a carpenter strikes nails with")),
    ("screwdriver", ("a tool for turning screws", "what I need to tighten a loose screw")),
    ("padlock", ("a small metal lock with a key", "what keeps the shed door shut")),
    ("scissors", ("a tool with two blades for cutting paper", "what a tailor cuts cloth with")),
    ("block", ("a wooden cube for building towers", "a toy cube made of wood")),
    ("drill", ("a power tool that bores holes", "an electric tool for making holes in walls")),
    ("spatula", ("a flat kitchen tool for flipping pancakes", "what turns burgers in the pan")),
    ("knife", ("a sharp blade for slicing bread", "what a cook chops vegetables with")),
    ("spoon", ("what one eats soup with", "cutlery for stirring tea")),
    ("plate", ("a flat dish for serving dinner", "a round flat dish")),
    ("sponge", ("a soft thing for washing dishes", "what soaks up spilled water")),
    ("cleanser", ("a bottle of liquid for scrubbing the bathroom", "a bottle of cleaning liquid")),
    ("plum", ("a small purple fruit with a stone", "a dark fruit that becomes a prune when dried")),
    ("pear", ("a green fruit that is narrow at the top", "a bell shaped green fruit")),
    ("peach", ("a fuzzy fruit with a stone", "a soft orange pink fruit with velvet skin")),
    ("apple", ("a crisp red fruit for cider", "a fruit that keeps the doctor away")),
    ("lemon", ("a sour yellow fruit", "a yellow citrus fruit")),
    ("can", ("preserved food in a metal tin", "a sealed tin of meat")),
    ("box", ("a cardboard package", "a carton made of cardboard")),
    ("banana", ("a long curved yellow fruit", "a yellow fruit that monkeys like")),
    ("strawberry", ("a small red berry with seeds outside", "a sweet red berry for jam")),
    ("lego", ("a small plastic building brick", "a plastic brick with studs")),
    ("rubiks_cube", ("a puzzle cube with coloured faces", "a twisting puzzle of six colours")),
    ("book", ("something with pages to read", "a novel")),
    ("bowl", ("a deep round dish for cereal", "a dish for soup or salad")),
    ("cup", ("a small vessel to drink from", "something to drink water from")),
)
"""Category that training sentences name -> descriptions."""
