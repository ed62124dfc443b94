"""An MCP client that looks everywhere for what the task names, through the tools `begin` and `act`.

    pip install 'langrearrange[mcp]'
    python examples/mcp_client.py --split context --index 4

A chat model takes the place of `next_action`; desktop clients run the same server command.
"""

import argparse
import asyncio
import sys

import fastmcp

SERVER = {"command": sys.executable, "args": ["-m", "langrearrange.integrations.mcp"]}
PLACES = (
    "chair", "black table", "brown table", "TV stand", "sink", "right counter", "left counter",
    "sofa", "fridge", "left drawer", "right drawer",
)  # fmt: skip


def next_action(text: str, place: int) -> tuple[str, int]:
    """Return what to do next and the place after that: open what is closed, else go on."""
    if "is closed" in text and "You could not" not in text:
        return f"open the {PLACES[place - 1]}", place
    return f"go to the {PLACES[place % len(PLACES)]}", place % len(PLACES) + 1


async def play(split: str, index: int) -> str:
    """Play an episode and return the last answer."""
    async with fastmcp.Client({"mcpServers": {"langrearrange": SERVER}}) as client:
        print("tools:", [tool.name for tool in await client.list_tools()])
        answer = await client.call_tool("begin", {"split": split, "index": index})
        text, place = answer.content[0].text, 0
        while "The episode has ended" not in text:
            action, place = next_action(text.rpartition("\nYou are")[2], place)
            text = (await client.call_tool("act", {"action": action})).content[0].text
            print(f"{action}: {text.splitlines()[1]}")
        return text.splitlines()[-1]


def main() -> None:
    """Play the episode that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", default="validation")
    parser.add_argument("--index", type=int, default=0)
    given = parser.parse_args()
    print(asyncio.run(play(given.split, given.index)))


if __name__ == "__main__":
    main()
