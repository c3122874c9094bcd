"""What the simulated shop sells, through whom it is found, and what that costs. Pure."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Item:
    sku: str
    name: str
    category: str
    price: float  # USD, before any discount


@dataclass(frozen=True)
class Channel:
    """Where customers come from. ``cost`` is spent per new customer; ``quality`` multiplies how often they buy."""

    code: str
    name: str
    kind: str
    share: float
    quality: float
    cost: float  # USD; 0: nothing is spent
    currency: str


@dataclass(frozen=True)
class Market:
    country: str
    language: str
    time_zone: str
    currency: str
    share: float
    phone: str  # filled with four digits


_SHELVES = {
    "Tableware": (
        ("Haru Rice Bowl", 14), ("Haru Soup Bowl", 18), ("Moon Plate 21", 22), ("Moon Plate 27", 29),
        ("Onggi Salt Pot", 34), ("Yunomi Tea Cup", 16), ("Sobacho Cup", 12), ("Brass Spoon & Chopsticks", 38),
        ("Cedar Chopstick Rest", 6), ("Celadon Serving Dish", 64), ("Donabe 20", 89), ("Walnut Tray", 46),
    ),
    "Tea & Pantry": (
        ("Sencha Morning 100 g", 19), ("Hojicha Evening 100 g", 15), ("Boseong Green Tea 80 g", 17),
        ("Yuzu Honey 500 g", 16), ("Omija Syrup 300 ml", 21), ("Sesame Oil 180 ml", 18),
        ("Barley Tea Bags 30", 9), ("Roasted Seaweed Box", 12), ("Buckwheat Honey 300 g", 14),
        ("Matcha Ceremony 40 g", 32), ("Rice Crackers Assorted", 11), ("Shiitake Dried 100 g", 13),
    ),
    "Bath & Body": (
        ("Hinoki Bath Salt", 17), ("Rice Bran Soap", 8), ("Camellia Hair Oil", 28), ("Linen Bath Towel", 42),
        ("Linen Hand Towel", 18), ("Mugwort Hand Cream", 15), ("Charcoal Face Soap", 11), ("Yuzu Bath Oil", 24),
        ("Exfoliating Mitt", 7), ("Soap Dish Cypress", 19), ("Green Tea Toner", 26), ("Cotton Robe", 78),
    ),
    "Living": (
        ("Linen Cushion Cover", 36), ("Hanji Table Lamp", 96), ("Hanji Notebook", 13), ("Indigo Noren", 58),
        ("Patchwork Bojagi 60", 44), ("Incense Cypress 40", 16), ("Incense Holder Brass", 27),
        ("Cotton Gauze Blanket", 84), ("Ramie Table Runner", 52), ("Bud Vase Celadon", 39),
        ("Bamboo Basket M", 33), ("Wall Calendar", 21),
    ),
    "Kitchen": (
        ("Santoku Knife 165", 118), ("Petty Knife 120", 82), ("Cutting Board Hinoki", 48), ("Copper Tea Kettle", 138),
        ("Cast Iron Grill Pan", 74), ("Suribachi 18", 27), ("Ginger Grater", 14), ("Furoshiki 70", 19),
        ("Kitchen Cloth 3 Pack", 16), ("Tea Strainer", 12), ("Stone Pot Dolsot", 41), ("Apron Washed Linen", 55),
    ),
}  # fmt: skip
ITEMS: tuple[Item, ...] = tuple(
    Item(f"{shelf[:2].upper()}-{number:02d}", name, shelf, float(price))
    for shelf, goods in _SHELVES.items()
    for number, (name, price) in enumerate(goods, start=1)
)

CHANNELS: tuple[Channel, ...] = (
    Channel("search-ads", "Search ads", "paid", 0.24, 1.0, 58, "USD"),
    Channel("social-ads", "Social ads", "paid", 0.25, 0.55, 105, "KRW"),
    Channel("affiliates", "Affiliates", "paid", 0.09, 0.8, 46, "USD"),
    Channel("organic-search", "Organic search", "organic", 0.19, 1.15, 18, "USD"),
    Channel("referral", "Friends", "referral", 0.12, 1.6, 14, "USD"),
    Channel("pop-up-store", "Pop-up store", "offline", 0.08, 0.9, 85, "JPY"),
    Channel("unknown", "Unknown", "unknown", 0.03, 0.9, 0, "USD"),
)

MARKETS: tuple[Market, ...] = (
    Market("KR", "ko", "Asia/Seoul", "KRW", 0.5, "+82 10-0000-{:04d}"),
    Market("JP", "ja", "Asia/Tokyo", "JPY", 0.26, "+81 90-0000-{:04d}"),
    Market("US", "en", "America/New_York", "USD", 0.15, "+1 202-555-01{:02d}"),
    Market("SG", "en", "Asia/Singapore", "USD", 0.05, "+65 0000 {:04d}"),
    Market("AU", "en", "Australia/Sydney", "USD", 0.036, "+61 2 5550 {:04d}"),
    # paid in a currency the shop has no rate for: staff see the list of what is not counted
    Market("DE", "en", "Europe/Berlin", "EUR", 0.003, "+49 30 0000 {:04d}"),
)

# Around which one unit was worth so many USD; EUR is left out on purpose.
RATES = {"KRW": Decimal("0.00071"), "JPY": Decimal("0.0067")}
# Prices end like prices in shops: the smallest step a price is rounded to.
STEPS = {"KRW": Decimal(100), "JPY": Decimal(10), "USD": Decimal("0.10"), "EUR": Decimal("0.10")}
EUR_IN_USD = 1.09  # only to make believable amounts; never stored
REFUND_REASONS = (
    "Arrived damaged",
    "Changed their mind",
    "Wrong item sent",
    "Later than promised",
    "Colour differs from the picture",
)
