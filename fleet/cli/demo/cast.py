"""Who plays, and with what."""

from fleet.cli.demo.stage import Player

DEV = Player(name="dev-1", environment="dev", labels={})
STAGING = Player(name="staging-1", environment="staging", labels={"region": "eu-west"})
CANARY = Player(
    name="prod-canary",
    environment="prod",
    labels={"region": "eu-west", "fleetgate.dev/canary": "true"},
)
EUROPE = Player(name="prod-eu", environment="prod", labels={"region": "eu-north"})
PLAYERS = (DEV, STAGING, CANARY, EUROPE)

ADA, BOB, EVE = "Ada <ada@example.com>", "Bob <bob@example.com>", "Eve <eve@example.com>"
WEB = "apps/hello/web.yaml"
