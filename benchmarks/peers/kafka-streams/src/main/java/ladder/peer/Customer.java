package ladder.peer;

/** What is kept of a customer; the rung is null before the first purchase. */
record Customer(long purchases, long spend, String rung) {

    static final Customer NEW = new Customer(0, 0, null);

    Customer buy(long amount) {
        long count = purchases + 1;
        return new Customer(count, spend + amount, count >= 2 ? "customer" : "shopper");
    }
}
