"""Clients that keep the contract while the web, the database and the network fail under them."""
