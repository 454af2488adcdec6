"""The durable places: their interfaces here, SQLite behind them in `store.sqlite`. Imports only `touchpoints`."""
